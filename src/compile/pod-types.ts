/**
 * The types that what is said of a pod is held to: those of Kubernetes' API, as its client gives them
 * (generated/pod-types.json, written by scripts/pod-types.ts), with what its types do not say, and some of our own.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { onFinishActions, podWords } from '../pipeline/pod.ts';

export interface FieldType {
  /** Of the value, or of each element: `string`, `V1Toleration`. */
  readonly name: string;
  readonly holds: 'one' | 'list' | 'map';
  readonly isRequired: boolean;
}

export type PodType = ReadonlyMap<string, FieldType>;

/** Only these are written with capitals there; of one that is missing here, any text is let through. */
const choices: Readonly<Record<string, readonly string[]>> = {
  PullPolicy: ['Always', 'IfNotPresent', 'Never'],
  TaintEffect: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
  TolerationOperator: ['Exists', 'Equal', 'Lt', 'Gt'],
  NodeSelectorOperator: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'],
  LabelSelectorOperator: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
  DnsPolicy: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
  OnFinishAction: onFinishActions,
  UnsatisfiableConstraint: ['DoNotSchedule', 'ScheduleAnyway'],
};

/** What the client's types leave open, or call text. */
const closer: Readonly<Record<string, string>> = {
  'V1Container.image': 'string!',
  'V1Container.imagePullPolicy': 'PullPolicy',
  'V1EmptyDirVolumeSource.sizeLimit': 'quantity',
  'V1LabelSelectorRequirement.operator': 'LabelSelectorOperator!',
  'V1NodeSelectorRequirement.operator': 'NodeSelectorOperator!',
  'V1Pod.metadata': 'PodMetadata',
  'V1PodSpec.dnsPolicy': 'DnsPolicy',
  'V1PodSpec.overhead': 'quantity{}',
  'V1ResourceFieldSelector.divisor': 'quantity',
  'V1ResourceRequirements.limits': 'quantity{}',
  'V1ResourceRequirements.requests': 'quantity{}',
  'V1Toleration.effect': 'TaintEffect',
  'V1Toleration.operator': 'TolerationOperator',
  'V1TopologySpreadConstraint.whenUnsatisfiable': 'UnsatisfiableConstraint!',
  'V1VolumeResourceRequirements.limits': 'quantity{}',
  'V1VolumeResourceRequirements.requests': 'quantity{}',
};

const fileSchema = z.object({ types: z.record(z.string(), z.record(z.string(), z.string())) });

let read: ReadonlyMap<string, PodType> | null = null;

/** Null where the name is that of a plain value. */
export function podType(name: string): PodType | null {
  read ??= readTypes();
  return read.get(name) ?? null;
}

export function choicesOf(name: string): readonly string[] | null {
  return choices[name] ?? null;
}

function readTypes(): ReadonlyMap<string, PodType> {
  const text = readFileSync(new URL('./generated/pod-types.json', import.meta.url), 'utf8');
  const types = new Map<string, PodType>();
  for (const [name, fields] of Object.entries(fileSchema.parse(JSON.parse(text)).types)) {
    const parsed = Object.entries(fields).map(
      ([field, type]) => [field, parseType(closer[`${name}.${field}`] ?? type)] as const,
    );
    types.set(name, new Map(parsed));
  }
  return withOwn(types);
}

/** `PodOptions` itself, the rest of the step's container, and the metadata of a pod, which are not all for a pipeline to say. */
function withOwn(types: Map<string, PodType>): ReadonlyMap<string, PodType> {
  const fieldOf = (type: string, field: string): readonly (readonly [string, FieldType])[] => {
    const found = types.get(type)?.get(field);
    return found === undefined ? [] : [[field, { ...found, isRequired: false }]];
  };
  const words = Object.entries(podWords).flatMap(([type, fields]) => fields.flatMap((field) => fieldOf(type, field)));
  types.set(
    'PodOptions',
    new Map([
      ...words,
      ['container', parseType('MainContainer')],
      ['sidecars', parseType('V1Container[]')],
      ['onFinishAction', parseType('OnFinishAction')],
      ['ttlAfterFinished', parseType('duration')],
      ['patch', parseType('V1Pod')],
    ]),
  );
  const flat: ReadonlySet<string> = new Set([...podWords.V1Container, 'name', 'command', 'args']);
  const main = [...(types.get('V1Container') ?? [])].filter(([field]) => !flat.has(field));
  types.set('MainContainer', new Map(main));
  types.set('PodMetadata', types.get('V1ObjectMeta') ?? new Map());
  return types;
}

function parseType(text: string): FieldType {
  const [, name = '', sign] = /^(\w+)(\[\]|\{\})?/.exec(text) ?? [];
  return { name, holds: sign === '[]' ? 'list' : sign === '{}' ? 'map' : 'one', isRequired: text.endsWith('!') };
}
