/**
 * What a reference to an output stands for. Small outputs stand inline and can be looked into here; a large one is an
 * artifact, of which only the lengths of its lists and records are at hand, so what is inside stays a place to be read
 * by the runner. Of a mapped step it is the list of the outputs of those instances that succeeded, in their order.
 */
import type { Artifact } from '../pipeline/definition.ts';
import type { ParameterValue } from '../pipeline/parameter.ts';
import { isJsonObject, type Json } from '../std/json.ts';
import { failure, success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';
import { countOf } from './aggregate.ts';
import type { StepOutput } from './event.ts';
import { finalStepStates, type Run, type Step } from './run.ts';

export type Value =
  | { readonly kind: 'json'; readonly json: Json }
  | { readonly kind: 'stored'; readonly place: StoredPlace; readonly lengths: { readonly [path: string]: number } }
  | { readonly kind: 'outputs'; readonly outputs: readonly { readonly output: StepOutput | null }[] };

/** Where in a stored output: at `path`, or for a mapped step in the element of what is at `path`. */
export interface StoredPlace {
  readonly artifact: Artifact;
  readonly path: readonly string[];
  readonly element: { readonly index: number; readonly path: readonly string[] } | null;
}

/** What the run was given, else the default; null: neither. */
export function parameterOf({ opened, definition }: Run, name: string): ParameterValue | null {
  if (Object.hasOwn(opened.parameters, name)) return opened.parameters[name] ?? null;
  return Object.hasOwn(definition.parameters, name) ? (definition.parameters[name]?.default ?? null) : null;
}

/**
 * The output of a step at `path`. A step that gave none, because it was skipped or failed, stands for null at any path,
 * so that a join after a branch can read both sides. The error is a sentence.
 */
export function outputAt(run: Run, name: string, path: readonly string[]): Result<Value, string> {
  const step = run.steps.get(name);
  if (step === undefined) return failure(`the output of step "${name}" was asked for, but there is no such step`);
  if (!finalStepStates.has(step.state)) {
    return failure(`the output of step "${name}" was asked for, but it is ${step.state}`);
  }
  const whole = wholeOutput(step);
  return whole === null ? success({ kind: 'json', json: null }) : lookInto(whole, path, `the output of step "${name}"`);
}

function wholeOutput(step: Step): Value | null {
  const instances = step.instances ?? [];
  if (step.definition.map === null) {
    const output = instances[0]?.output ?? null;
    return output === null ? null : valueOf(output);
  }
  // Most often all succeeded; then no list is built for each of the instances that read it.
  const allSucceeded = countOf(step, 'success') === instances.length;
  return { kind: 'outputs', outputs: allSucceeded ? instances : instances.filter(({ state }) => state === 'success') };
}

function valueOf(output: StepOutput | null): Value {
  if (output === null) return { kind: 'json', json: null };
  if ('inline' in output) return { kind: 'json', json: output.inline };
  return { kind: 'stored', place: { artifact: output.stored, path: [], element: null }, lengths: output.lengths };
}

/** The value at `path` inside `value`; `label` names the latter in the sentence that says why there is none. */
export function lookInto(value: Value, path: readonly string[], label: string): Result<Value, string> {
  switch (value.kind) {
    case 'json':
      return lookIntoJson(value.json, path, label);
    case 'stored': {
      const { artifact, path: outer, element } = value.place;
      const place: StoredPlace =
        element === null
          ? { artifact, path: [...outer, ...path], element }
          : { artifact, path: outer, element: { index: element.index, path: [...element.path, ...path] } };
      return success({ kind: 'stored', place, lengths: value.lengths });
    }
    case 'outputs': {
      const [first, ...rest] = path;
      if (first === undefined) return success(value);
      const item = value.outputs[placeIn(first)];
      if (item === undefined)
        return failure(`${label} is a list of ${value.outputs.length}, without a place "${first}"`);
      return lookInto(valueOf(item.output), rest, `${label}[${first}]`);
    }
    default:
      return unreachable(value);
  }
}

function lookIntoJson(whole: Json, path: readonly string[], label: string): Result<Value, string> {
  let json = whole;
  for (const [depth, key] of path.entries()) {
    const at = [label, ...path.slice(0, depth).map((part) => `"${part}"`)].join(' at ');
    if (Array.isArray(json)) {
      const list: readonly Json[] = json;
      const item = list[placeIn(key)];
      if (item === undefined) return failure(`${at} is a list of ${list.length}, without a place "${key}"`);
      json = item;
    } else if (isJsonObject(json)) {
      if (!Object.hasOwn(json, key)) return failure(`${at} has no key "${key}"; ${keysOf(json)}`);
      json = json[key] ?? null;
    } else {
      return failure(`${at} is ${describe(json)}, in which there is no "${key}"`);
    }
  }
  return success({ kind: 'json', json });
}

/** How many elements there are to map over. The error says what was found, to be put behind a name. */
export function lengthOf(value: Value): Result<number, string> {
  switch (value.kind) {
    case 'json':
      if (Array.isArray(value.json)) return success(value.json.length);
      if (isJsonObject(value.json) && !isArtifact(value.json)) return success(Object.keys(value.json).length);
      return failure(`is ${describe(value.json)}, not a list or a record`);
    case 'stored': {
      const length = value.lengths[value.place.path.join('.')];
      return length === undefined
        ? failure('is not a list or a record in the first two levels of its output')
        : success(length);
    }
    case 'outputs':
      return success(value.outputs.length);
    default:
      return unreachable(value);
  }
}

/** The element at `index` of a list; of a record, its key and value. The index is below the length. */
export function elementOf(value: Value, index: number): Value {
  switch (value.kind) {
    case 'json': {
      if (!isJsonObject(value.json))
        return { kind: 'json', json: Array.isArray(value.json) ? value.json[index] : null };
      const key = Object.keys(value.json)[index] ?? '';
      return { kind: 'json', json: { key, value: value.json[key] ?? null } };
    }
    case 'stored':
      return { ...value, place: { ...value.place, element: { index, path: [] } } };
    case 'outputs':
      return valueOf(value.outputs[index]?.output ?? null);
    default:
      return unreachable(value);
  }
}

/** As the runner is given it: see `InputValue` of the executor's contract. */
export function toInput(value: Value): Json {
  switch (value.kind) {
    case 'json':
      return value.json;
    case 'stored': {
      const { artifact, path, element } = value.place;
      const stored = { $stored: { ...artifact }, path };
      return element === null ? stored : { ...stored, element: element.index, elementPath: element.path };
    }
    case 'outputs':
      return value.outputs.map(({ output }) => toInput(valueOf(output)));
    default:
      return unreachable(value);
  }
}

/** What a JSON value is, in words. */
function describe(json: Json): string {
  if (json === null) return 'null';
  if (Array.isArray(json)) return 'a list';
  if (isJsonObject(json)) return isArtifact(json) ? 'an artifact' : 'a record';
  return typeof json === 'string' ? 'text' : `the ${typeof json} ${JSON.stringify(json)}`;
}

function isArtifact(json: Json): boolean {
  return isJsonObject(json) && typeof json['$artifact'] === 'string';
}

function keysOf(json: { readonly [key: string]: Json }): string {
  const keys = Object.keys(json);
  if (keys.length === 0) return 'it is an empty record';
  return `its keys are ${keys.slice(0, 10).join(', ')}${keys.length > 10 ? ` and ${keys.length - 10} more` : ''}`;
}

function placeIn(key: string): number {
  return /^\d{1,9}$/.test(key) ? Number(key) : -1;
}
