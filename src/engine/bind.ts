/**
 * What an attempt is given: the references of its definition as values. The result is plain JSON in the conventions of
 * `InputValue` (executor contract): artifacts stay `{ "$artifact": … }` objects, a value inside a stored output is
 * `{ "$stored": artifact, "path": [...] }`, text that waits for either is `{ "$text": [...] }`. The error is a sentence
 * for the user, and means that another try would fail the same way.
 */
import type { StepContextData, StepTrigger } from '../pipeline/context.ts';
import type { Binding, Reference, Template } from '../pipeline/definition.ts';
import { isJsonObject, type Json } from '../std/json.ts';
import { failure, success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';
import { firstTriggerOf, type AttemptKey, type FirstTrigger } from './event.ts';
import { memoryOf } from './memory.ts';
import { placesOf } from './mapping.ts';
import type { Run } from './run.ts';
import { stepOf } from './turn.ts';
import { elementOf, lookInto, outputAt, parameterOf, toInput, type Value } from './value.ts';

export function contextOf(run: Run, key: AttemptKey): StepContextData {
  const { opened, definition } = run;
  const timestamp = new Date(opened.logicalDate).toISOString();
  const date = timestamp.slice(0, timestamp.indexOf('T'));
  const defaults = Object.entries(definition.parameters).flatMap(([name, { default: value }]) =>
    value === null ? [] : [[name, value] as const],
  );
  return {
    runId: opened.runId,
    repository: opened.repository,
    pipeline: opened.pipeline,
    step: key.step,
    index: key.index,
    attempt: key.attempt,
    sha: opened.sha,
    branch: branchOf(firstTriggerOf(opened.trigger)),
    trigger: stepTriggerOf(firstTriggerOf(opened.trigger)),
    date,
    dateNoDash: date.replaceAll('-', ''),
    timestamp,
    dataIntervalStart: timestamp,
    dataIntervalEnd: new Date(opened.dataIntervalEnd).toISOString(),
    memoryBytes: memoryOf(run, key),
    parameters: { ...Object.fromEntries(defaults), ...opened.parameters },
  };
}

/** The value of `binding` for one attempt. */
export function bindValue(run: Run, binding: Binding, key: AttemptKey): Result<Json, string> {
  if ('literal' in binding) return success(binding.literal);
  if ('template' in binding) return bindTemplate(run, binding.template, key);
  if ('reference' in binding) {
    const value = valueOf(run, binding.reference, key);
    return value.ok ? success(toInput(value.value)) : value;
  }
  if ('list' in binding) return bindAll(run, binding.list, key);
  const names = Object.keys(binding.record);
  const values = bindAll(run, Object.values(binding.record), key);
  return values.ok
    ? success(Object.fromEntries(names.map((name, place) => [name, values.value[place] ?? null])))
    : values;
}

/** The text of `template` for one attempt, or `{ "$text": parts }` where a part is known to the runner alone. */
export function bindTemplate(run: Run, template: Template, key: AttemptKey): Result<Json, string> {
  if (typeof template === 'string') return success(template);
  const parts: Json[] = [];
  for (const part of template) {
    const input = typeof part === 'string' ? success(part) : bindValue(run, { reference: part }, key);
    if (!input.ok) return input;
    const text = textOf(input.value);
    const last = parts.at(-1);
    if (text !== null && typeof last === 'string') parts[parts.length - 1] = last + text;
    else parts.push(text ?? input.value);
  }
  const [only] = parts;
  if (only === undefined) return success('');
  return success(parts.length === 1 && typeof only === 'string' ? only : { $text: parts });
}

function bindAll(run: Run, bindings: readonly Binding[], key: AttemptKey): Result<Json[], string> {
  const values: Json[] = [];
  for (const binding of bindings) {
    const value = bindValue(run, binding, key);
    if (!value.ok) return value;
    values.push(value.value);
  }
  return success(values);
}

function valueOf(run: Run, reference: Reference, key: AttemptKey): Result<Value, string> {
  if ('context' in reference) return success({ kind: 'json', json: contextOf(run, key)[reference.context] });
  if ('parameter' in reference) {
    const json = parameterOf(run, reference.parameter);
    return json === null
      ? failure(`parameter "${reference.parameter}" was not given`)
      : success({ kind: 'json', json });
  }
  if ('output' in reference) return outputAt(run, reference.output, reference.path);
  return itemOf(run, reference.item, reference.path, key);
}

/** The element of an axis that this instance is for, at `path`. */
function itemOf(run: Run, name: string, path: readonly string[], key: AttemptKey): Result<Value, string> {
  const axis = placesOf(run, stepOf(run, key), key.index).find((candidate) => candidate.name === name);
  if (axis === undefined) return failure(`step "${key.step}" is not mapped over "${name}"`);
  const element = elementOfBinding(run, axis.over, axis.place, key);
  return element.ok ? lookInto(element.value, path, `element ${axis.place} of "${name}"`) : element;
}

function elementOfBinding(run: Run, over: Binding, place: number, key: AttemptKey): Result<Value, string> {
  if ('list' in over) {
    const value = bindValue(run, over.list[place] ?? { literal: null }, key);
    return value.ok ? success({ kind: 'json', json: value.value }) : value;
  }
  if ('record' in over) {
    const [name = '', binding = { literal: null }] = Object.entries(over.record)[place] ?? [];
    const value = bindValue(run, binding, key);
    return value.ok ? success({ kind: 'json', json: { key: name, value: value.value } }) : value;
  }
  if ('literal' in over) return success(elementOf({ kind: 'json', json: over.literal }, place));
  if ('template' in over) return failure('text cannot be mapped over');
  const whole = valueOf(run, over.reference, key);
  return whole.ok ? success(elementOf(whole.value, place)) : whole;
}

/** Text as it is, anything else as JSON; null where only the runner can know it. */
function textOf(input: Json): string | null {
  if (typeof input === 'string') return input;
  return holdsPlaces(input) ? null : JSON.stringify(input);
}

/** Whether there is an artifact or a stored value anywhere in it. */
function holdsPlaces(input: Json): boolean {
  if (Array.isArray(input)) return input.some((item: Json) => holdsPlaces(item));
  if (!isJsonObject(input)) return false;
  if ('$artifact' in input || '$stored' in input || '$text' in input) return true;
  return Object.values(input).some((item) => holdsPlaces(item));
}

function stepTriggerOf(trigger: FirstTrigger): StepTrigger {
  const { kind } = trigger;
  return {
    kind,
    upstream:
      kind === 'pipeline' ? { runId: trigger.upstream, pipeline: trigger.pipeline, state: trigger.state } : null,
    events:
      kind === 'data' ? trigger.events.map(({ at, ...event }) => ({ ...event, at: new Date(at).toISOString() })) : [],
  };
}

function branchOf(trigger: FirstTrigger): string {
  switch (trigger.kind) {
    case 'push':
    case 'pull-request':
    case 'pipeline':
      return trigger.branch;
    case 'schedule':
    case 'manual':
    case 'backfill':
    case 'data':
      return '';
    default:
      return unreachable(trigger);
  }
}
