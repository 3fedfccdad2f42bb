/**
 * A list whose items lie in a file. It is an array like any other, save that each item is read when it is touched and only
 * the last one is kept, so that the next may take its memory. What is set stays, as in any array; what is read is frozen,
 * because a change to it would be gone with the next touch.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ListFile } from '../src/executor/executor.ts';

/** `itemOf` gives what an item's JSON is for the function. */
export function openList({ path, ends }: Omit<ListFile, 'at'>, itemOf: (json: unknown) => unknown): unknown[] {
  let last: { readonly place: number; readonly item: unknown } | null = null;
  const itemAt = (place: number): unknown => {
    if (last?.place === place) return last.item;
    last = null;
    const item = frozen(itemOf(JSON.parse(readPart(path, ends[place - 1] ?? 0, ends[place] ?? 0))));
    last = { place, item };
    return item;
  };
  const list: unknown[] = [];
  for (const place of ends.keys()) {
    Object.defineProperty(list, place, {
      enumerable: true,
      configurable: true,
      get: () => itemAt(place),
      set(value: unknown) {
        Object.defineProperty(list, place, { value, enumerable: true, configurable: true, writable: true });
      },
    });
  }
  return list;
}

function readPart(path: string, from: number, to: number): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(to - from);
    const read = readSync(file, bytes, 0, bytes.length, from);
    if (read < bytes.length) throw new Error(`${path} is shorter than it was: the step has changed its own input`);
    return bytes.toString();
  } finally {
    closeSync(file);
  }
}

function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
