import type { Write } from '../../journal/journal.ts';

/**
 * What became of an outbox row: done, with the writes that keep what came of it; to be tried again, with what is kept until then; refused until somebody
 * mends what it says; too early, which is tried again a few times; or given up, because trying again is useless.
 */
export type Carried =
  | { readonly done: readonly Write[] }
  | { readonly retry: string; readonly retryAt: number | null; readonly writes?: readonly Write[] }
  | { readonly refused: string }
  | { readonly early: string }
  | { readonly givenUp: string };
