/** The word `map`: one step with an instance for each combination of elements. */
import { bind, isPromise } from './binding.ts';
import { openBuild, type Call, type OpenMap } from './build.ts';
import type { Binding, MapDefinition } from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import {
  handleData,
  handlesByName,
  makeHandle,
  type Handle,
  type held,
  type HandleScope,
  type Input,
} from './handle.ts';
import { misuse, shown } from './misuse.ts';
import { OptionReader, plainRecord } from './options.ts';

/** For each axis a list or a record: written out, a parameter, or the output of a step. */
export type Axes = { readonly [name: string]: Axis };

type Axis =
  | Handle<readonly unknown[] | { readonly [key: string]: unknown }>
  | readonly Input[]
  | ({ readonly [key: string]: Input } & { readonly [held]?: never });

/** Handles of the element that an instance is for; of a record, its key and value. */
export type Elements<A extends Axes> = { readonly [Name in keyof A]: Handle<ElementOf<Held<A[Name]>>> };

/** What an axis will hold: the handles in it are for their values. */
type Held<Axis> = Axis extends { readonly [held]: () => infer T }
  ? T
  : Axis extends string | number | boolean | null
    ? Axis
    : { [Key in keyof Axis]: Held<Axis[Key]> };

type ElementOf<Axis> = Axis extends readonly (infer Element)[]
  ? Element
  : { readonly key: string; readonly value: Axis[keyof Axis] };

export interface MapOptions {
  /** Instances that run at once. */
  readonly concurrency?: number;
  /** More elements than this fail the step. 1024 unless given, at most 10 000. */
  readonly maxLength?: number;
}

const axesMax = 8;

/** `define` adds one step; it runs for each combination of the axes' elements. Gives the handle of the list of results. */
export function map<A extends Axes, Output>(
  axes: A,
  define: (elements: Elements<A>) => Handle<Output>,
  options: MapOptions = {},
): Handle<readonly Output[]> {
  const build = openBuild('map');
  const names = typeof axes === 'object' && axes !== null ? Object.keys(axes) : [];
  const label = `map over ${names.length === 0 ? 'nothing' : names.join(', ')}`;
  if (build.map !== null)
    misuse(
      'definition-map',
      `${label} stands inside of another map`,
      'Give one map several axes: it runs for each combination of their elements.',
    );
  const call: Call = { label, build, upstream: new Set() };
  const open: OpenMap = {
    scope: { label, parent: build.scope, open: true },
    definition: readMap(call, axes, new OptionReader(label, options, ['concurrency', 'maxLength'])),
    upstream: call.upstream,
    step: null,
  };
  const given = withMap(call, open, () => define(elementHandles(open.scope, names) as Elements<A>));
  const step = open.step;
  if (isPromise(given))
    misuse(
      'definition-promise',
      `${label}: its function is async`,
      'Take `async` away: a definition is complete at once.',
    );
  if (step === null)
    return misuse(
      'definition-map',
      `${label} has no step`,
      'Its function adds one: map({ depth: [2, 4] }, ({ depth }) => step("fit", { input: { depth }, run }))',
    );
  demandStep(label, given, open.scope, step);
  return makeHandle<readonly Output[]>({ reference: { output: step, path: [] }, scope: build.scope, label: step });
}

/** Whatever else it gave back would lend its type to results that are not of it. */
function demandStep(label: string, given: unknown, scope: HandleScope, step: string): void {
  const handle = handleData(given);
  const reference = handle !== null && 'output' in handle.reference ? handle.reference : null;
  if (handle?.scope === scope && reference?.output === step && reference.path.length === 0) return;
  misuse(
    'definition-map',
    `${label}: its function gives back ${handle === null ? shown(given) : handle.label}, and not the step "${step}"`,
    'Give back what the word of the step gives, as a whole: map({ depth: [2, 4] }, ({ depth }) => step("fit", { input: { depth }, run })). A step that is given the list reads what it needs of it.',
  );
}

function withMap(call: Call, open: OpenMap, define: () => unknown): unknown {
  call.build.map = open;
  try {
    return define();
  } finally {
    call.build.map = null;
    open.scope.open = false;
  }
}

function readMap(call: Call, axes: unknown, options: OptionReader): MapDefinition {
  const lengthMax = options.number(
    'maxLength',
    { min: 1, max: definitionLimits.mapLengthMax, integer: true },
    definitionLimits.mapLengthDefault,
  );
  const entries = new OptionReader(call.label, { axes }, ['axes']).record('axes');
  if (entries.length === 0 || entries.length > axesMax) {
    misuse(
      'definition-map',
      `${call.label} has ${entries.length} axes`,
      `Give one to ${axesMax} lists: map({ depth: [2, 4] }, ...).`,
    );
  }
  const read = entries.map(([name, value]) => ({ name, over: readAxis(call, name, value) }));
  const length = read.reduce((product, { over }) => product * (lengthOf(over) ?? 1), 1);
  if (length > lengthMax) {
    misuse(
      'definition-map',
      `${call.label} has ${length} combinations, more than ${lengthMax}`,
      `Take fewer elements, or raise the option "maxLength" (at most ${definitionLimits.mapLengthMax}).`,
    );
  }
  return {
    axes: read,
    concurrency: options.number('concurrency', { min: 1, max: definitionLimits.mapLengthMax, integer: true }, null),
    lengthMax,
  };
}

function readAxis(call: Call, name: string, value: unknown): Binding {
  const handle = handleData(value);
  if (
    !Array.isArray(value) &&
    plainRecord(value) === null &&
    (handle === null || !('output' in handle.reference || 'parameter' in handle.reference))
  ) {
    misuse(
      'definition-map',
      `${call.label}: the axis "${name}" is neither a list nor a record`,
      'Map over a list or record, over a parameter that is a list, or over the output of a step that gives one.',
    );
  }
  return bind(call, name, inOrder(value));
}

/** Instances come in the order of the keys: sorted, as in the canonical text that the digest is of. */
function inOrder(axis: unknown): unknown {
  const record = plainRecord(axis);
  if (record === null) return axis;
  const keys = Object.keys(record).sort();
  return Object.fromEntries(keys.map((key) => [key, record[key]]));
}

/** Null where only the run knows. */
function lengthOf(over: Binding): number | null {
  if ('list' in over) return over.list.length;
  if ('record' in over) return Object.keys(over.record).length;
  if (!('literal' in over) || typeof over.literal !== 'object' || over.literal === null) return null;
  return Object.keys(over.literal).length;
}

function elementHandles(scope: HandleScope, names: readonly string[]): unknown {
  const handles = names.map((name) => [name, makeHandle({ reference: { item: name, path: [] }, scope, label: name })]);
  return handlesByName('axis', Object.fromEntries(handles));
}
