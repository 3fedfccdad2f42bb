/**
 * Lists of results that are too long to lie in memory all at once: a function is given them as a file, whose items the
 * runner reads when they are touched (`runner/list.ts`). Everything else is handed over as it is.
 */
import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { definitionLimits } from '../../pipeline/definition-limits.ts';
import { isJsonObject, type Json } from '../../std/json.ts';
import type { InputValue, ListFile, RunnerTask } from '../executor.ts';

const longListLimits = {
  /** As JSON; fewer are handed over in memory. */
  bytesMin: 1024 * 1024,
  itemsMax: definitionLimits.mapLengthMax,
  /** Items that are read at once while the file is written. */
  atOnceMax: 8,
} as const;

export interface LongList extends Pick<ListFile, 'at'> {
  readonly items: readonly InputValue[];
}

/** The work with null in place of the long lists of its function's input, which are added to `found`. */
export function withoutLongLists(work: RunnerTask['work'], found: LongList[]): RunnerTask['work'] {
  if ('input' in work) return { ...work, input: without(work.input, [], found) };
  if (work.kind !== 'challenge' || work.score?.kind !== 'function') return work;
  return { ...work, score: { ...work.score, input: without(work.score.input, [], found) } };
}

/** The innermost ones: a list that only holds a long one is short without it. */
function without(value: InputValue, at: readonly string[], found: LongList[]): InputValue {
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    const items = list.map((item, place) => without(item, [...at, String(place)], found));
    if (!isLong(items)) return items;
    found.push({ at, items });
    return null;
  }
  if (!isJsonObject(value) || '$stored' in value || '$artifact' in value || '$text' in value) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, without(item, [...at, key], found)] as const);
  return Object.fromEntries(entries);
}

function isLong(items: readonly InputValue[]): boolean {
  if (items.length < 2 || items.length > longListLimits.itemsMax) return false;
  let bytes = 0;
  for (const item of items) {
    bytes += bytesOf(item);
    if (bytes > longListLimits.bytesMin) return true;
  }
  return false;
}

/** About: of a stored value those of the whole output that it is in. */
function bytesOf(item: InputValue): number {
  const stored = isJsonObject(item) ? item['$stored'] : undefined;
  if (isJsonObject(stored) && typeof stored['bytes'] === 'number') return stored['bytes'];
  return JSON.stringify(item).length;
}

/** Writes the items, as `read` gives them, to a new file; gives where each of them ends in it. */
export async function writeList(
  items: readonly InputValue[],
  path: string,
  read: (item: InputValue) => Promise<Json>,
): Promise<readonly number[]> {
  await mkdir(dirname(path), { recursive: true });
  await using file = await open(path, 'wx');
  const ends: number[] = [];
  let end = 0;
  for (let from = 0; from < items.length; from += longListLimits.atOnceMax) {
    const some = items.slice(from, from + longListLimits.atOnceMax);
    const lines = await Promise.all(some.map(async (item) => Buffer.from(`${JSON.stringify(await read(item))}\n`)));
    for (const line of lines) ends.push((end += line.length));
    await file.writeFile(Buffer.concat(lines));
  }
  await chmod(path, 0o444);
  return ends;
}
