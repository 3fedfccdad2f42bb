/**
 * Holds what is said of a pod to the types of Kubernetes' API: a field that there is not would be dropped by the server
 * without a word, and the step would run without it.
 */
import { bindingAt, viewOf, type BindingView } from '../pipeline/binding-view.ts';
import type { Binding, ContainerWork } from '../pipeline/definition.ts';
import { definitionLimits } from '../pipeline/definition-limits.ts';
import { nearest } from '../pipeline/nearest.ts';
import { parseDuration } from '../std/duration.ts';
import { isRefusedRequest, requestHelp } from '../std/quantity.ts';
import { unreachable } from '../std/unreachable.ts';
import {
  elsewhere,
  refusedEntry,
  refusedField,
  refusedValue,
  refusedMount,
  repeatedContainer,
  repeatedElements,
  type Refusal,
} from './pod-refusals.ts';
import { choicesOf, podType, type FieldType, type PodType } from './pod-types.ts';

export interface PodFault extends Refusal {
  /** `pod.tolerations[0].effect`. */
  readonly path: string;
  /** The same, key by key: `pod`, `tolerations`, 0, `effect`. */
  readonly keys: Keys;
}

type Keys = readonly (string | number)[];

export interface CheckedPod {
  readonly faults: readonly PodFault[];
  /** The same, where a reference that stands for text is written as text: a number would be refused there. */
  readonly pod: Binding;
}

/** Of one more, nobody reads the first. */
const faultsMax = 10;

export function checkPodFields(pod: Binding): CheckedPod {
  const faults: PodFault[] = [];
  const walk = new Walk((keys, refusal) => {
    if (faults.length < faultsMax) faults.push({ ...refusal, keys, path: pathOf(keys) });
  });
  const checked = walk.value(
    pod,
    { name: 'PodOptions', holds: 'one', isRequired: true },
    { keys: ['pod'], patched: false },
  );
  return { faults, pod: checked };
}

interface At {
  readonly keys: Keys;
  /** In a patch nothing has to be there. */
  readonly patched: boolean;
}

class Walk {
  readonly #say: (keys: Keys, refusal: Refusal) => void;

  constructor(say: (keys: Keys, refusal: Refusal) => void) {
    this.#say = say;
  }

  value(binding: Binding, type: FieldType, at: At): Binding {
    const view = viewOf(binding);
    if (view.kind === 'scalar' && view.value === null) return binding;
    if (type.holds === 'list') return this.#list(binding, view, type, at);
    if (type.holds === 'map') return this.#map(binding, view, type, at);
    const fields = podType(type.name);
    if (fields !== null && view.kind === 'reference') return this.#later(binding, type, at);
    return fields === null
      ? this.#plain(binding, view, type.name, at)
      : this.#record(binding, view, type.name, fields, at);
  }

  #list(binding: Binding, view: BindingView, type: FieldType, at: At): Binding {
    if (view.kind === 'reference') return this.#later(binding, type, at);
    if (view.kind !== 'list') return this.#wrong(binding, view, `a list of ${type.name}`, at);
    const items = view.items.map((item, index) => {
      const inner = { ...at, keys: [...at.keys, index] };
      const itemView = viewOf(item);
      if (itemView.kind === 'scalar' && itemView.value === null) return this.#wrong(item, itemView, type.name, inner);
      return this.value(item, { ...type, holds: 'one' }, inner);
    });
    return 'literal' in binding ? binding : { list: items };
  }

  #map(binding: Binding, view: BindingView, type: FieldType, at: At): Binding {
    if (view.kind === 'reference') return this.#later(binding, type, at);
    if (view.kind !== 'record') return this.#wrong(binding, view, 'an object', at);
    const field = at.keys.at(-1);
    return this.#each(binding, view.fields, (key, value) => {
      const inner = { ...at, keys: [...at.keys, key] };
      const refused = refusedEntry(field, key, value);
      if (refused !== null) this.#say(inner.keys, refused);
      return this.value(value, { ...type, holds: 'one' }, inner);
    });
  }

  #record(binding: Binding, view: BindingView, name: string, fields: PodType, at: At): Binding {
    if (view.kind !== 'record') return this.#wrong(binding, view, `an object, ${name}`, at);
    if (!at.patched) this.#whole(view.fields, name, fields, at);
    if (name === 'V1ResourceRequirements') this.#resources(view.fields, at);
    return this.#each(binding, view.fields, (field, value) => {
      const inner = {
        keys: [...at.keys, field],
        patched: at.patched || (name === 'PodOptions' && field === 'patch'),
      };
      const type = fields.get(field);
      if (type === undefined) {
        this.#say(inner.keys, unknownField(name, field, fields));
        return value;
      }
      const refused =
        refusedField(name, field) ?? refusedValue(at.keys[1] === 'env' ? mainType(name) : name, field, value);
      if (refused !== null) this.#say(inner.keys, refused);
      return this.value(value, type, inner);
    });
  }

  /** That nothing is requested that its limit forbids, as far as both are written out. */
  #resources(given: ReadonlyMap<string, Binding>, at: At): void {
    const [requests, limits] = ['requests', 'limits'].map((field) => amountsIn(given.get(field)));
    for (const { name, requested, limit } of refusedRequests(requests ?? new Map(), limits ?? new Map())) {
      const what = `it is ${requested}, and its limit ${limit}`;
      this.#say([...at.keys, 'requests', name], { what, help: requestHelp(name) });
    }
  }

  /** That what has to be there is, and nothing twice. */
  #whole(given: ReadonlyMap<string, Binding>, name: string, fields: PodType, at: At): void {
    for (const [field, { isRequired }] of fields) {
      if (!isRequired || given.has(field)) continue;
      this.#say(at.keys, { what: `"${field}" is missing`, help: `A ${name} has it always.` });
    }
    if (name === 'V1EnvVar' && given.has('value') && given.has('valueFrom'))
      this.#say(at.keys, { what: 'it has a value and "valueFrom"', help: 'Leave one of them out.' });
    const wrong = [
      name === 'PodOptions' ? repeatedContainer(given) : null,
      name === 'V1VolumeMount' ? refusedMount(given) : null,
      ...repeatedElements(given),
    ];
    for (const one of wrong) if (one !== null) this.#say([...at.keys, ...one.keys], one);
    if (name !== 'V1Volume') return;
    const sources = [...given.keys()].filter((field) => field !== 'name' && fields.has(field));
    if (sources.length === 1) return;
    const what = sources.length === 0 ? 'it has no source' : `it has more than one source: ${sources.join(', ')}`;
    this.#say(at.keys, {
      what,
      help: 'Give a volume one: emptyDir: {}, persistentVolumeClaim: { claimName: … }, …',
    });
  }

  #each(
    binding: Binding,
    fields: ReadonlyMap<string, Binding>,
    change: (name: string, value: Binding) => Binding,
  ): Binding {
    const changed = [...fields].map(([name, value]) => [name, change(name, value)] as const);
    return 'literal' in binding ? binding : { record: Object.fromEntries(changed) };
  }

  /** Known only in a run, and so never checked. */
  #later(binding: Binding, { name, holds }: FieldType, { keys }: At): Binding {
    const isRefused =
      writtenOut.has(name) || (holds === 'map' && ['labels', 'annotations'].includes(String(keys.at(-1))));
    if (isRefused)
      this.#say(keys, {
        what: 'it has to be written out',
        help: 'Only the values inside of it may depend on the run.',
      });
    return binding;
  }

  #plain(binding: Binding, view: BindingView, name: string, at: At): Binding {
    if (name === 'any' || name === 'object') return binding;
    const isLater = view.kind === 'reference' || view.kind === 'template';
    if (isLater && writtenOut.has(name)) {
      this.#say(at.keys, { what: 'it has to be written out', help: 'What becomes of a pod is known before the run.' });
      return binding;
    }
    const isText = name === 'string' || choicesOf(name) !== null;
    if (view.kind === 'reference')
      return isText && 'reference' in binding ? { template: [binding.reference] } : binding;
    if (view.kind === 'template') {
      if (name === 'integer' || name === 'number' || name === 'boolean')
        this.#say(at.keys, {
          what: `it is text, and has to be ${named(name)}`,
          help: 'Give the handle by itself.',
        });
      return binding;
    }
    const wrong = view.kind !== 'scalar' || !fits(view.value, name);
    return wrong ? this.#wrong(binding, view, named(name), at) : binding;
  }

  #wrong(binding: Binding, view: BindingView, expected: string, { keys }: At): Binding {
    const isQuoted = expected === 'text' && view.kind === 'scalar';
    this.#say(keys, {
      what: `it is ${shownView(view)}, and has to be ${expected}`,
      help: isQuoted ? `Write it as text: "${String(view.value)}".` : helpFor(view, expected),
    });
    return binding;
  }
}

/** What Contender refuses some things in, or has to know before a run. */
const writtenOut: ReadonlySet<string> = new Set([
  'PodOptions',
  'MainContainer',
  'PodMetadata',
  'V1Pod',
  'V1PodSpec',
  'V1Container',
  'V1EnvVar',
  'V1Volume',
  'V1VolumeMount',
  'V1ResourceRequirements',
  'OnFinishAction',
  'duration',
]);

function pathOf(keys: Keys): string {
  return keys.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('');
}

function mainType(name: string): string {
  return name === 'V1EnvVar' ? 'MainVariable' : name;
}

function unknownField(type: string, field: string, fields: PodType): Refusal {
  const other = elsewhere(type, field, (name, wanted) => podType(name)?.has(wanted) === true);
  const known = [...fields.keys()].filter((name) => refusedField(type, name) === null);
  const meant = nearest(field, known);
  const all = known.length > 24 ? '' : `It has ${known.join(', ')}.`;
  const guess = meant === null ? '' : `Did you mean "${meant}"? `;
  const help = other ?? `${guess}${all}`.trim();
  return {
    what: `there is no field "${field}" in ${type}`,
    help: help === '' ? `Leave it out, or look ${type} up in the reference of Kubernetes' API.` : help,
  };
}

const quantityPattern = /^\d+(?:\.\d+)?(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;

/** Quantities by the name of the resource; what is none is told elsewhere. */
function amountsIn(record: Binding | undefined): ReadonlyMap<string, string> {
  const view = record === undefined ? null : viewOf(record);
  if (view?.kind !== 'record') return new Map();
  const amounts = [...view.fields].flatMap(([name, binding]): [string, string][] => {
    const value = viewOf(binding);
    return value.kind === 'scalar' && fits(value.value, 'quantity') ? [[name, String(value.value)]] : [];
  });
  return new Map(amounts);
}

type Amounts = ReadonlyMap<string, string>;

/** What is requested that its limit forbids. */
function refusedRequests(
  requests: Amounts,
  limits: Amounts,
): readonly { readonly name: string; readonly requested: string; readonly limit: string }[] {
  return [...requests].flatMap(([name, requested]) => {
    const limit = limits.get(name);
    return limit === undefined || !isRefusedRequest(name, requested, limit) ? [] : [{ name, requested, limit }];
  });
}

/** What is said of quantities in a pod, and by the step's own option `resources`, of which neither is wrong by itself. */
export function excessBeside(pod: Binding, own: ContainerWork['resources']): PodFault | null {
  const inPod = (kind: 'requests' | 'limits'): Amounts => {
    const record = bindingAt(pod, ['resources', kind]);
    return record === null ? new Map() : amountsIn(record);
  };
  const fault = (kind: string, name: string, what: string): PodFault => {
    const keys = ['pod', 'resources', kind, name];
    return { keys, path: pathOf(keys), what, help: requestHelp(name) };
  };
  const [above] = refusedRequests(inPod('requests'), new Map(Object.entries(own.limits)));
  if (above !== undefined) {
    const { name, requested, limit } = above;
    return fault('requests', name, `it is ${requested}, and the limit in "resources" ${limit}`);
  }
  const [below] = refusedRequests(new Map(Object.entries(own.requests)), inPod('limits'));
  if (below === undefined) return null;
  const { name, requested, limit } = below;
  return fault('limits', name, `it is ${limit}, and "resources" requests ${requested}`);
}

function fits(value: string | number | boolean | null, name: string): boolean {
  switch (name) {
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'IntOrString':
      return typeof value === 'string' || Number.isInteger(value);
    case 'quantity':
      return (typeof value === 'string' || typeof value === 'number') && quantityPattern.test(String(value));
    case 'duration': {
      const parsed = typeof value === 'string' ? parseDuration(value) : null;
      return parsed?.ok === true && parsed.value <= definitionLimits.keptPodMsMax;
    }
    default:
      return choicesOf(name)?.some((choice) => choice === value) ?? true;
  }
}

function named(name: string): string {
  const known = choicesOf(name);
  if (known !== null) return `one of ${known.join(', ')}`;
  switch (name) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return 'a whole number';
    case 'number':
      return 'a number';
    case 'IntOrString':
      return 'a whole number or text';
    default:
      return `a ${name}`;
  }
}

function shownView(view: BindingView): string {
  switch (view.kind) {
    case 'scalar':
      return JSON.stringify(view.value).slice(0, 80);
    case 'list':
      return 'a list';
    case 'record':
      return 'an object';
    case 'template':
    case 'reference':
      return 'a value of the run';
    default:
      return unreachable(view);
  }
}

function helpFor(view: BindingView, expected: string): string {
  if (expected.endsWith(' V1LocalObjectReference') && view.kind === 'scalar')
    return `Write it as { name: ${JSON.stringify(view.value)} }.`;
  if (expected === 'a duration') return 'A duration is written "90m" or "2d", and is 30d at most.';
  if (expected === 'a quantity') return 'A quantity is written "500m", "8" or "32Gi".';
  const known = expected.startsWith('one of ') ? expected.slice('one of '.length).split(', ') : [];
  const meant = view.kind === 'scalar' && typeof view.value === 'string' ? nearest(view.value, known) : null;
  return meant === null ? `Write ${expected}.` : `Did you mean "${meant}"?`;
}
