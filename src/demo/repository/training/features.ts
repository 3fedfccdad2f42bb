/** What a model may see of a strike, and what ours is given. */
import type { Part, Strike } from './strikes.ts';

/** Each turns a strike into one word. A model names the words that it was trained with, so keep those it still needs. */
const describers = {
  size: ({ size }: Strike) => size,
  time: ({ time }: Strike) => time,
  operator: ({ operator }: Strike) => operator,
  airport: ({ airport }: Strike) => airport,
} as const;

export type Feature = keyof typeof describers;

/** What a new model is trained with. */
export const chosen: readonly Feature[] = ['size', 'time', 'operator', 'airport'];

/** One row of the table that training and evaluation read. */
export interface Row {
  readonly part: Part;
  readonly damaged: boolean;
  readonly words: { readonly [feature: string]: string };
}

export function describe(strike: Strike): Row {
  const words = Object.fromEntries(Object.entries(describers).map(([feature, word]) => [feature, word(strike)]));
  return { part: strike.part, damaged: strike.damaged, words };
}
