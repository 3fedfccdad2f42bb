/** What a change does to a pipeline: for the eyes of whoever reviews it. */
import { viewOf } from '../pipeline/binding-view.ts';
import type { Binding, PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../std/json.ts';
import { unreachable } from '../std/unreachable.ts';
import { weakenings } from './weakening.ts';

export interface VersionDifference {
  readonly kind: 'added' | 'removed' | 'changed' | 'same';
  /** Of the pipeline as a whole: `on.schedule.cron`, `maxActiveRuns`. */
  readonly fields: readonly FieldChange[];
  /** In the order of the new version, those that are gone at the end. */
  readonly steps: readonly StepChange[];
  readonly edgesAdded: readonly Edge[];
  readonly edgesRemoved: readonly Edge[];
  /** Sentences about gates and challenges that let more through than before; empty where none does. */
  readonly weakened: readonly string[];
}

export interface StepChange {
  readonly step: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly fields: readonly FieldChange[];
}

export interface FieldChange {
  /** Where it stands: `work.image`. */
  readonly field: string;
  /** Null where it was not there. */
  readonly before: Json;
  readonly after: Json;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
}

/** From `base` to `head`; null is a version without this pipeline. */
export function diffVersions(base: PipelineDefinition | null, head: PipelineDefinition | null): VersionDifference {
  const nothing = { fields: [], edgesAdded: [], edgesRemoved: [], weakened: [] };
  if (base === null || head === null) {
    const kind = head === null ? 'removed' : 'added';
    const steps = (head ?? base)?.steps.map(({ name }): StepChange => ({ step: name, kind, fields: [] })) ?? [];
    return {
      kind: base === head ? 'same' : kind,
      ...nothing,
      steps,
      weakened: base === null ? [] : [...weakenings(base, { ...base, steps: [] })],
    };
  }
  const { steps: _baseSteps, ...baseHead } = base;
  const { steps: _headSteps, ...headHead } = head;
  const fields = changedFields('', toJson(baseHead), toJson(headHead));
  const steps = changedSteps(base, head);
  const [before, after] = [edgesOf(base), edgesOf(head)];
  const edgesAdded = [...after].filter(([key]) => !before.has(key)).map(([, edge]) => edge);
  const edgesRemoved = [...before].filter(([key]) => !after.has(key)).map(([, edge]) => edge);
  const same = fields.length === 0 && steps.length === 0 && edgesAdded.length === 0 && edgesRemoved.length === 0;
  return { kind: same ? 'same' : 'changed', fields, steps, edgesAdded, edgesRemoved, weakened: weakenings(base, head) };
}

function changedSteps(base: PipelineDefinition, head: PipelineDefinition): readonly StepChange[] {
  const before = new Map(base.steps.map((step) => [step.name, step]));
  const after = new Set(head.steps.map(({ name }) => name));
  const changes = head.steps.flatMap((step): StepChange[] => {
    const old = before.get(step.name);
    if (old === undefined) return [{ step: step.name, kind: 'added', fields: [] }];
    const fields = changedFields('', withoutEdges(old), withoutEdges(step));
    return fields.length === 0 ? [] : [{ step: step.name, kind: 'changed', fields }];
  });
  const gone = base.steps.filter(({ name }) => !after.has(name));
  return [...changes, ...gone.map(({ name }): StepChange => ({ step: name, kind: 'removed', fields: [] }))];
}

function withoutEdges(step: StepDefinition): Json {
  const { upstream: _upstream, name: _name, pod, ...rest } = step;
  return { ...toJson(rest), ...(pod === undefined ? {} : { pod: opened(pod) }) };
}

/** A pod as it is written, so that a change is that of a field; what stands for a value of the run stays as it is. */
function opened(binding: Binding): Json {
  const view = viewOf(binding);
  switch (view.kind) {
    case 'scalar':
      return view.value;
    case 'list':
      return view.items.map(opened);
    case 'record':
      return Object.fromEntries([...view.fields].map(([name, value]) => [name, opened(value)]));
    case 'reference':
    case 'template':
      return toJson(binding);
    default:
      return unreachable(view);
  }
}

function edgesOf(definition: PipelineDefinition): ReadonlyMap<string, Edge> {
  const edges = definition.steps.flatMap((step) => step.upstream.map((from): Edge => ({ from, to: step.name })));
  return new Map(edges.map((edge) => [`${edge.from} ${edge.to}`, edge]));
}

/**
 * The innermost records that differ, in lists too where each has its counterpart. Other lists and references are compared
 * as a whole. Everything is looked at once: a definition may have a MiB.
 */
function changedFields(path: string, before: Json, after: Json): readonly FieldChange[] {
  if (areRecords(before) && areRecords(after) && before.length === after.length)
    return before.flatMap((item, index) => changedFields(`${path}[${index}]`, item, after[index] ?? null));
  if (!isRecord(before) || !isRecord(after))
    return canonicalJson(before) === canonicalJson(after) ? [] : [{ field: path, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => {
    const field = path === '' ? key : `${path}.${key}`;
    return changedFields(field, fieldOf(before, key), fieldOf(after, key));
  });
}

function fieldOf(record: JsonObject, key: string): Json {
  return Object.hasOwn(record, key) ? (record[key] ?? null) : null;
}

/** A record with names; what stands for a value (a binding, a reference) is one thing. */
function isRecord(value: Json): value is JsonObject {
  const bindings = ['literal', 'reference', 'template', 'list', 'record', 'output', 'context', 'item', 'parameter'];
  return isJsonObject(value) && !bindings.some((key) => Object.hasOwn(value, key) && Object.keys(value).length <= 2);
}

function areRecords(value: Json): value is readonly JsonObject[] {
  return Array.isArray(value) && value.every(isRecord);
}

/** Definitions are plain data; their interfaces only lack the index signature that `Json` has. */
function toJson(value: object): JsonObject {
  return value as unknown as JsonObject;
}
