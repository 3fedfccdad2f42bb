/** What can be mapped over inside an output that is too large to stand inline: the lengths of its lists and records. */
import { isJsonObject, type Json } from '../std/json.ts';

const lengthsMax = 1000;

/** Lengths by path joined with `.` ('' is the whole), down to two levels; at most a thousand of them. */
export function lengthsOf(value: Json): { readonly [path: string]: number } {
  const lengths: { [path: string]: number } = Object.create(null);
  let count = 0;
  const visit = (part: Json, path: readonly string[]): void => {
    if (count >= lengthsMax) return;
    if (Array.isArray(part)) lengths[path.join('.')] = part.length;
    else if (isJsonObject(part)) lengths[path.join('.')] = Object.keys(part).length;
    else return;
    count += 1;
    if (path.length === 2 || !isJsonObject(part)) return;
    for (const [key, inner] of Object.entries(part)) visit(inner, [...path, key]);
  };
  visit(value, []);
  return { ...lengths };
}
