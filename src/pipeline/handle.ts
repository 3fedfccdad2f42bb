/**
 * A handle stands for a value that exists only when a run does: the logical date, a parameter, the output of a step.
 * At definition time it can be passed on, looked into (`train.auc`) and written into a template string; each use makes a
 * reference, and the reference of an output makes the edge. A template string keeps a handle as a marker, two
 * private-use characters around an index into a table, so literal braces and dollars need no escape.
 */
import type { Artifact, Reference } from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import { misuse, shown } from './misuse.ts';
import { nearest } from './nearest.ts';

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
const fieldsOfHandles = new WeakMap<object, Map<string, unknown>>();
const tableByText = new Map<string, HandleData>();
const tableIndex = new Map<HandleData, number>();
const markerOpen = '\u{F5E70}';
const markerClose = '\u{F5E71}';

/** What every handle answers with; the targets tell which one is asked, since a set of traps for each would cost more. */
const traps: ProxyHandler<object> = {
  get: (target, key) => {
    const data = dataOf(target);
    if (key === Symbol.toPrimitive) return (hint: string) => primitive(data, hint);
    if (key === 'toString' || key === 'valueOf') return () => markerOf(data);
    if (key === 'toJSON') return () => noValue(data, 'JSON.stringify');
    if (key === Symbol.iterator || key === Symbol.asyncIterator) return noValue(data, 'A loop or spread');
    if (typeof key === 'symbol' || key === 'then') return undefined;
    return fieldOf(target, data, key);
  },
  apply: (target) => {
    const { label } = dataOf(target);
    const help =
      'Work on its value in the function of a step, which is given it as input; `map` runs a step for each element of a list.';
    return misuse('definition-handle', `${label} is a handle, not a function`, help);
  },
  ownKeys: (target) => noValue(dataOf(target), 'Spreading or listing its keys'),
  has: (target) => noValue(dataOf(target), 'The `in` operator'),
  set: (target) => noValue(dataOf(target), 'Setting a field'),
  defineProperty: (target) => noValue(dataOf(target), 'Defining a field'),
  deleteProperty: (target) => noValue(dataOf(target), 'Deleting a field'),
  setPrototypeOf: (target) => noValue(dataOf(target), 'Setting a prototype'),
};

/** The type says what the reference will hold; nothing at definition time can check it. */
export function makeHandle<T>(data: HandleData): Handle<T> {
  const target = (): undefined => undefined;
  const proxy: object = new Proxy(target, traps);
  dataOfHandles.set(target, data);
  dataOfHandles.set(proxy, data);
  // The proxy answers every field with a handle, which is what the type says.
  return proxy as Handle<T>;
}

function dataOf(target: object): HandleData {
  const data = dataOfHandles.get(target);
  if (data === undefined) throw new Error('a handle was not made by makeHandle');
  return data;
}

/** The same handle each time it is asked for. */
function fieldOf(target: object, data: HandleData, key: string): unknown {
  const fields = fieldsOfHandles.get(target) ?? new Map<string, unknown>();
  if (fields.size === 0) fieldsOfHandles.set(target, fields);
  if (!fields.has(key)) fields.set(key, makeHandle(dataOfField(data, key)));
  return fields.get(key);
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
  for (let at = text.indexOf(markerOpen); at !== -1; at = text.indexOf(markerOpen, at + 1)) {
    const close = text.indexOf(markerClose, at);
    const index = text.slice(at + markerOpen.length, close);
    const data = close === -1 ? undefined : tableByText.get(index);
    if (data === undefined) continue;
    if (at > end) parts.push(text.slice(end, at));
    parts.push(data);
    end = close + markerClose.length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

export function hasMarker(text: string): boolean {
  return text.includes(markerOpen);
}

/** Text that means itself and that any program can be given: most is so, and needs no closer look. */
export function isPlainText(value: unknown): value is string {
  return isLiteralText(value) && value.length <= definitionLimits.textLengthMax;
}

/** Text that means itself, however long it is. */
export function isLiteralText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes(markerOpen) && !value.includes('\0');
}

function markerOf(data: HandleData): string {
  const index = tableIndex.get(data) ?? tableIndex.size;
  tableIndex.set(data, index);
  tableByText.set(String(index), data);
  return `${markerOpen}${index}${markerClose}`;
}

/** A template string asks for text; `+` and `==` ask for whatever there is, and would make a number into nonsense. */
function primitive(data: HandleData, hint: string): string {
  if (hint === 'number') return noValue(data, 'Arithmetic or comparison');
  if (hint === 'string') return markerOf(data);
  return noValue(
    data,
    'Adding (`+`) or comparing (`==`)',
    'In text, write it into a template string: `data/${date}`. ',
  );
}

function noValue(data: HandleData, use: string, first = ''): never {
  return misuse(
    'definition-handle',
    `${use} needs the value of ${data.label}, which exists only in a run`,
    `${first}Give the handle to a step as \`input\` and work on the value in its function; use \`map\` for lists and \`branch\` for decisions.`,
  );
}

function dataOfField(data: HandleData, key: string): HandleData {
  const { reference, scope } = data;
  const label = `${data.label}.${key}`;
  const { pathLengthMax, keyLengthMax } = definitionLimits;
  if (key.length > keyLengthMax || ('path' in reference && reference.path.length >= pathLengthMax)) {
    misuse(
      'definition-handle',
      `${data.label.slice(0, 200)} is looked into further than ${pathLengthMax} keys of up to ${keyLengthMax} characters`,
      'Give the handle to a step as it is, and look into its value there.',
    );
  }
  if ('output' in reference)
    return { reference: { output: reference.output, path: [...reference.path, key] }, scope, label };
  if ('item' in reference) return { reference: { item: reference.item, path: [...reference.path, key] }, scope, label };
  return misuse(
    'definition-handle',
    `${data.label} has no field "${key}": it is there as a whole`,
    'Use it as it is; over a parameter that is a list, map.',
  );
}

/** Handles by their names. What is misspelt is refused here: as `undefined` it would be told of elsewhere, without its name. */
export function handlesByName(what: string, handles: { readonly [name: string]: unknown }): unknown {
  return new Proxy(handles, {
    get(target, name) {
      if (typeof name === 'symbol' || name in target) return Reflect.get(target, name);
      const names = Object.keys(target);
      const meant = nearest(name, names);
      const there = names.length === 0 ? 'None is declared.' : `There are ${names.join(', ')}.`;
      return misuse(
        'definition-handle',
        `there is no ${what} ${shown(name)}`,
        meant === null ? there : `Did you mean ${shown(meant)}? ${there}`,
      );
    },
  });
}
