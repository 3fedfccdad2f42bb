/**
 * A handle stands for a value that exists only when a run does: the logical date, a parameter, the output of a step.
 * At definition time it can be passed on, looked into (`train.auc`) and written into a template string; each use makes a
 * reference, and the reference of an output makes the edge. A template string keeps a handle as a marker, two
 * private-use characters around an index into a table, so literal braces and dollars need no escape.
 */
import type { Artifact, Reference } from './definition.ts';
import { misuse } from './misuse.ts';

/** Never there: it holds the type of what a handle stands for. */
export declare const held: unique symbol;
declare const nothing: unique symbol;

/** An object without keys: the inputs, outputs or parameters of who declares none. */
export type Nothing = { readonly [nothing]?: never };

/** Stands for a `T` that a run will have. Its fields are handles too, and it may stand in template strings. */
export type Handle<T> = { readonly [held]: () => T; toString(): string } & HandleFields<T>;

type HandleFields<T> = T extends Artifact | string | number | boolean | null | undefined
  ? unknown
  : T extends readonly (infer Element)[]
    ? { readonly [index: number]: Handle<Element> }
    : T extends object
      ? { readonly [Key in keyof T & string]: Handle<Exclude<T[Key], undefined>> }
      : unknown;

/** JSON in which handles may stand for values. */
export type Input =
  | null
  | boolean
  | number
  | string
  | Handle<unknown>
  | readonly Input[]
  | { readonly [key: string]: Input };

/** What the function of a step is given for an input: the values of the handles; an artifact is the path of a local file. */
export type Resolved<I> = I extends { readonly [held]: () => infer T }
  ? Given<T>
  : I extends string | number | boolean | null
    ? I
    : { -readonly [Key in keyof I]: Resolved<I[Key]> };

type Given<T> = T extends Artifact ? string : T extends object ? { [Key in keyof T]: Given<T[Key]> } : T;

/** Where a handle may be used: inside one call of `pipeline`, or only inside one callback of `map`. */
export interface HandleScope {
  /** Words for a message: `pipeline "churn"`. */
  readonly label: string;
  readonly parent: HandleScope | null;
  open: boolean;
}

export interface HandleData {
  readonly reference: Reference;
  readonly scope: HandleScope;
  /** How a message names it: `train.auc`. */
  readonly label: string;
}

const dataOfHandles = new WeakMap<object, HandleData>();
const table: HandleData[] = [];
const tableIndex = new Map<HandleData, number>();
const markerOpen = '\u{F5E70}';
const markerClose = '\u{F5E71}';
const markerPattern = /\u{F5E70}(\d+)\u{F5E71}/gu;

/** The type says what the reference will hold; nothing at definition time can check it. */
export function makeHandle<T>(data: HandleData): Handle<T> {
  const fields = new Map<string, unknown>();
  const proxy: object = new Proxy(() => undefined, {
    get: (_target, key) => {
      if (key === Symbol.toPrimitive) return (hint: string) => primitive(data, hint);
      if (key === 'toString' || key === 'valueOf') return () => markerOf(data);
      if (key === 'toJSON') return () => noValue(data, 'JSON.stringify');
      if (key === Symbol.iterator || key === Symbol.asyncIterator) return noValue(data, 'A loop or spread');
      if (typeof key === 'symbol' || key === 'then') return undefined;
      if (!fields.has(key)) fields.set(key, makeHandle(fieldOf(data, key)));
      return fields.get(key);
    },
    apply: () =>
      misuse(
        'definition-handle',
        `${data.label} is a handle, not a function`,
        'Work on its value in the function of a step, which is given it as input; `map` runs a step for each element of a list.',
      ),
    ownKeys: () => noValue(data, 'Spreading or listing its keys'),
    has: () => noValue(data, 'The `in` operator'),
    set: () => noValue(data, 'Setting a field'),
    defineProperty: () => noValue(data, 'Defining a field'),
    deleteProperty: () => noValue(data, 'Deleting a field'),
    setPrototypeOf: () => noValue(data, 'Setting a prototype'),
  });
  dataOfHandles.set(proxy, data);
  // The proxy answers every field with a handle, which is what the type says.
  return proxy as Handle<T>;
}

/** What `value` stands for, or null where it is no handle. */
export function handleData(value: unknown): HandleData | null {
  return (typeof value === 'function' || typeof value === 'object') && value !== null
    ? (dataOfHandles.get(value) ?? null)
    : null;
}

/** `text` in pieces: strings, and the handles whose markers stood in it. */
export function splitMarkers(text: string): readonly (string | HandleData)[] {
  if (!text.includes(markerOpen)) return [text];
  const parts: (string | HandleData)[] = [];
  let end = 0;
  for (const match of text.matchAll(markerPattern)) {
    const data = table[Number(match[1])];
    if (data === undefined) continue;
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push(data);
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

export function hasMarker(text: string): boolean {
  return text.includes(markerOpen);
}

function markerOf(data: HandleData): string {
  const index = tableIndex.get(data) ?? table.push(data) - 1;
  tableIndex.set(data, index);
  return `${markerOpen}${index}${markerClose}`;
}

function primitive(data: HandleData, hint: string): string {
  return hint === 'number' ? noValue(data, 'Arithmetic or comparison') : markerOf(data);
}

function noValue(data: HandleData, use: string): never {
  return misuse(
    'definition-handle',
    `${use} needs the value of ${data.label}, which exists only in a run`,
    'Give the handle to a step as `input` and work on the value in its function; use `map` for lists and `branch` for decisions.',
  );
}

function fieldOf(data: HandleData, key: string): HandleData {
  const { reference, scope } = data;
  const label = `${data.label}.${key}`;
  if ('output' in reference)
    return { reference: { output: reference.output, path: [...reference.path, key] }, scope, label };
  if ('item' in reference) return { reference: { item: reference.item, path: [...reference.path, key] }, scope, label };
  return misuse(
    'definition-handle',
    `${data.label} is plain text or a number and has no field "${key}"`,
    'Use it as it is.',
  );
}
