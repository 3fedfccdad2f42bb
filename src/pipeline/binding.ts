/** What the user wrote, as bindings and templates; the steps whose outputs are used become the upstream of the call. */
import type { Json } from '../std/json.ts';
import type { Call } from './build.ts';
import type { Binding, Reference, Template } from './definition.ts';
import { undeclaredOutput } from './declared-outputs.ts';
import { definitionLimits } from './definition-limits.ts';
import {
  handleData,
  hasMarker,
  isLiteralText,
  isPlainText,
  splitMarkers,
  type HandleData,
  type HandleScope,
} from './handle.ts';
import { misuse, shown } from './misuse.ts';
import { plainRecord } from './options.ts';

const depthMax = 16;

/** `value` with its handles as references. `path` names it in messages: `input.rows`. */
export function bind(call: Call, path: string, value: unknown, depth = 0): Binding {
  const handle = handleData(value);
  if (handle !== null) return { reference: use(call, handle) };
  if (depth > depthMax)
    return refuse(
      call,
      path,
      `is nested deeper than ${depthMax} levels`,
      'Flatten it, or write it to a file that the step reads.',
    );
  if (isLiteralText(value)) return { literal: value };
  if (typeof value === 'string') {
    const template = bindTemplate(call, path, value);
    return typeof template === 'string' ? { literal: template } : { template };
  }
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    return { literal: value };
  if (Array.isArray(value)) {
    const list = value.map((item: unknown, index) => bind(call, `${path}[${index}]`, item, depth + 1));
    const literals = list.flatMap((item) => ('literal' in item ? [item.literal] : []));
    if (literals.length === list.length) return { literal: literals };
    const { listLengthMax } = definitionLimits;
    return list.length <= listLengthMax
      ? { list }
      : refuse(
          call,
          path,
          `has ${list.length} elements, more than ${listLengthMax}, and handles among them`,
          'Write it to a file that the step reads, or keep the handles in an input of their own.',
        );
  }
  const record = plainRecord(value);
  if (record !== null && typeof record['then'] !== 'function') return bindRecord(call, path, record, depth);
  if (isPromise(value)) return refusePromise(call, path);
  return refuse(
    call,
    path,
    `is ${shown(value)}, which JSON cannot hold`,
    'Inputs are JSON: null, true, false, finite numbers, text, lists and plain objects.',
  );
}

function bindRecord(call: Call, path: string, record: Readonly<Record<string, unknown>>, depth: number): Binding {
  const fields: [string, Binding][] = [];
  for (const [key, item] of Object.entries(record)) {
    if (item === undefined) continue;
    if (hasMarker(key))
      misuse(
        'definition-handle',
        `${call.label}: the name of a field of ${path} depends on a value that exists only in a run`,
        'Write the name out, and give the handle as the value.',
      );
    if (key === '__proto__') refuse(call, path, 'has the key "__proto__"', 'Use another name.');
    fields.push([key, bind(call, `${path}.${key}`, item, depth + 1)]);
  }
  const literals: [string, Json][] = [];
  for (const [key, field] of fields) if ('literal' in field) literals.push([key, field.literal]);
  return literals.length === fields.length
    ? { literal: Object.fromEntries(literals) }
    : { record: Object.fromEntries(fields) };
}

/** Text, a number, a flag or a handle, as text with references in it. */
export function bindTemplate(call: Call, path: string, value: unknown): Template {
  if (isPlainText(value)) return value;
  const handle = handleData(value);
  if (handle !== null) return [use(call, handle)];
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'boolean') return String(value);
  if (isPromise(value)) return refusePromise(call, path);
  if (typeof value !== 'string')
    return refuse(call, path, `is ${shown(value)}`, 'It has to be text; handles may stand in it.');
  if (value.includes('\0'))
    return refuse(call, path, 'holds a NUL character', 'Remove it: no program can be given one.');
  const parts = splitMarkers(value).map((part) => (typeof part === 'string' ? part : use(call, part)));
  const { textLengthMax, templatePartsMax } = definitionLimits;
  if (parts.length > templatePartsMax || parts.some((part) => typeof part === 'string' && part.length > textLengthMax))
    return refuse(
      call,
      path,
      `is longer than ${textLengthMax} characters or ${templatePartsMax} parts`,
      'Write it to a file that the step reads.',
    );
  return parts.every((part) => typeof part === 'string') ? parts.join('') : parts;
}

/** Notes the edge and gives the reference, after proving that the handle may be used here. */
export function use(call: Call, handle: HandleData): Reference {
  const { build } = call;
  const inMap = build.map !== null && handle.scope === build.map.scope;
  if (handle.scope !== build.scope && !inMap) refuseScope(call, handle);
  if ('output' in handle.reference) {
    refuseUndeclared(call, handle, handle.reference.output, handle.reference.path);
    call.upstream.add(handle.reference.output);
  }
  return handle.reference;
}

function refuseUndeclared(call: Call, handle: HandleData, step: string, path: readonly string[]): void {
  const { steps, positions } = call.build;
  const definition = path.length === 0 ? undefined : steps[positions.get(step) ?? -1]?.definition;
  const undeclared = definition === undefined ? null : undeclaredOutput(definition, path);
  if (undeclared !== null)
    misuse('definition-handle', `${call.label} uses ${handle.label}, but ${undeclared.what}`, undeclared.help);
}

function refuseScope(call: Call, handle: HandleData): never {
  if (rootOf(handle.scope) === call.build.scope) {
    misuse(
      'definition-handle',
      `${call.label} uses ${handle.label}, which exists only inside the callback of its map`,
      'Use the handle that map() gives back: it stands for the list of all results.',
    );
  }
  misuse(
    'definition-handle',
    `${call.label} uses ${handle.label} of ${rootOf(handle.scope).label}`,
    'A handle belongs to the pipeline that made it. Make one pipeline wait for another with `waitFor.pipeline`, and hand data over in files or artifacts.',
  );
}

function rootOf(scope: HandleScope): HandleScope {
  return scope.parent === null ? scope : rootOf(scope.parent);
}

export function isPromise(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    handleData(value) === null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}

function refusePromise(call: Call, path: string): never {
  return misuse(
    'definition-promise',
    `${call.label}: ${path} is a promise`,
    'A definition is complete at once and waits for nothing. Await inside the function of a step; its handle stands for the result.',
  );
}

function refuse(call: Call, path: string, what: string, help: string): never {
  return misuse('definition-option', `${call.label}: ${path} ${what}`, help);
}
