/** JSON as a type, and its canonical form: the same value always gives the same text, so that it can be digested. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Text of `value` with the keys of every object in code-unit order and no white space (RFC 8785's order and numbers).
 * Throws a RangeError for what JSON cannot hold: NaN, infinities.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`JSON cannot hold ${value}`);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  const record = value as JsonObject;
  const fields = Object.keys(record)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key] as Json)}`);
  return `{${fields.join(',')}}`;
}

/** So many levels of lists and objects an output may have: whoever walks through one has stack for far more. */
export const jsonLevelsMax = 256;

/** Whether `value` has more levels than that; `levels`: those that are left. */
export function isTooDeep(value: Json, levels: number = jsonLevelsMax): boolean {
  if (value === null || typeof value !== 'object') return false;
  return levels === 0 || Object.values(value).some((inner: Json) => isTooDeep(inner, levels - 1));
}
