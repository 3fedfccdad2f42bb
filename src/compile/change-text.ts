/** A difference in sentences, for a comment or a terminal: what comes and goes, what waits for what, each field with both values. */
import { formatBytes } from '../std/bytes.ts';
import { formatDuration } from '../std/duration.ts';
import { canonicalJson, type Json } from '../std/json.ts';
import type { Edge, FieldChange, StepChange, VersionDifference } from './difference.ts';

/** Characters of one value, and of the place where it stands. */
const valueCharactersMax = 120;
const fieldCharactersMax = 80;
/** What is shown before the place where two long values part. */
const sharedCharactersMax = 20;

/** The first `max` sentences, and how many there are: of a huge change no more text is made than is shown. */
export function changeSentences(
  { fields, steps, edgesAdded, edgesRemoved }: VersionDifference,
  max: number,
): { readonly sentences: readonly string[]; readonly count: number } {
  const sentences: (() => string)[] = [
    ...fields.map((change) => () => fieldSentence(change)),
    ...steps.flatMap(stepSentences),
    ...edgeSentences(edgesAdded, 'now waits for'),
    ...edgeSentences(edgesRemoved, 'no longer waits for'),
  ];
  return { sentences: sentences.slice(0, max).map((say) => say()), count: sentences.length };
}

function stepSentences({ step, kind, fields }: StepChange): readonly (() => string)[] {
  if (kind !== 'changed') return [() => `step "${step}" is ${kind === 'added' ? 'new' : 'gone'}`];
  return fields.map((change) => () => `step "${step}": ${fieldSentence(change)}`);
}

function edgeSentences(edges: readonly Edge[], waits: string): readonly (() => string)[] {
  const byStep = Map.groupBy(edges, ({ to }) => to);
  return [...byStep].map(
    ([step, before]) =>
      () =>
        `step "${step}" ${waits} ${before.map(({ from }) => from).join(', ')}`,
  );
}

function fieldSentence({ field, before, after }: FieldChange): string {
  const [old, now] = [valueText(field, before), valueText(field, after)];
  const from = partingOf(old, now);
  const place = field.replace(/^work\./, '');
  const shown = place.length > fieldCharactersMax ? `…${place.slice(-fieldCharactersMax)}` : place;
  return `${shown}: ${windowOf(old, from)} → ${windowOf(now, from)}`;
}

function valueText(field: string, value: Json): string {
  if (value === null) return 'none';
  if (typeof value === 'number' && field.endsWith('Ms')) return formatDuration(value);
  if (typeof value === 'number' && field.endsWith('ytes')) return formatBytes(value);
  return canonicalJson(value);
}

/** Where what is shown of two values begins: a change at the end of a long command is seen as well. */
function partingOf(one: string, other: string): number {
  if (Math.max(one.length, other.length) <= valueCharactersMax) return 0;
  let shared = 0;
  while (shared < one.length && one.charAt(shared) === other.charAt(shared)) shared += 1;
  return Math.max(0, shared - sharedCharactersMax);
}

function windowOf(text: string, from: number): string {
  const shown = text.slice(from, from + valueCharactersMax);
  return `${from > 0 ? '…' : ''}${shown}${from + shown.length < text.length ? '…' : ''}`;
}
