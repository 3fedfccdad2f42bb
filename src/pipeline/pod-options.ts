/** The option `pod` of a step over that of its pipeline, with what the step says beside it taken into account. */
import { bind } from './binding.ts';
import type { Call } from './build.ts';
import { refuseCodeInPod } from './command.ts';
import type { Binding, Work } from './definition.ts';
import { OptionReader, plainRecord } from './options.ts';
import { mergePods } from './pod-merge.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The option of a pipeline; null where it is not given. */
export function readPodDefault(options: OptionReader): Fields | null {
  const value = options.raw('pod');
  if (value === undefined || value === null) return null;
  return plainRecord(value) ?? wrongPod(options, value);
}

/** All that is said of the pod of a step, as it is written; null where nothing is. */
export function readPod(options: OptionReader, work: Work, byDefault: Fields | null): Fields | null {
  const value = options.raw('pod');
  const isAsked = isGiven(value);
  if (!hasPod(work)) {
    if (isAsked)
      options.problem('option "pod" means nothing for a step that only waits', 'Leave it out: it has no pod.');
    return null;
  }
  if (value === null || (!isAsked && byDefault === null)) return null;
  const own = isAsked ? (plainRecord(value) ?? wrongPod(options, value)) : {};
  if (work.kind !== 'container' && isGiven(own['workingDir']))
    options.problem(
      'option "pod.workingDir" means nothing for a step that is no container',
      'Leave it out: the step begins in the repository at the commit. A command may begin with cd.',
    );
  const beside = saidBeside(options, work);
  refuseTwice(options, own, beside);
  const pod = mergePods(byDefault === null ? {} : without(byDefault, beside), own);
  return Object.keys(pod).length === 0 ? null : pod;
}

/** Of what is waited for, functions alone are looked at in a pod. */
function hasPod(work: Work): boolean {
  return work.kind === 'wait' ? work.for.condition === 'function' : work.kind !== 'approval';
}

/** As it stands in a definition: absent where nothing is said. */
export function bindPod(call: Call, pod: Fields | null): { readonly pod?: Binding } {
  if (pod === null) return {};
  const bound = bind(call, 'pod', pod);
  refuseCodeInPod(call, bound);
  return { pod: bound };
}

function wrongPod(options: OptionReader, value: unknown): never {
  return options.wrong('pod', 'an object with the fields of a pod: { nodeSelector: { … }, tolerations: [ … ] }', value);
}

/** Of what a pod may say, what the step says with options of its own. */
interface Beside {
  readonly image: boolean;
  readonly variables: readonly string[];
  /** Names of resources. */
  readonly requests: readonly string[];
  readonly limits: readonly string[];
  /** By the option `memory`. */
  readonly memory: boolean;
}

function saidBeside(options: OptionReader, work: Work): Beside {
  const memory = options.has('memory');
  const nothing = { image: false, variables: [], requests: [], limits: [], memory };
  if (work.kind === 'command') return { ...nothing, variables: Object.keys(work.environment) };
  if (work.kind !== 'container') return nothing;
  const { requests, limits } = work.resources;
  const [variables, requested, limited] = [work.environment, requests, limits].map((record) => Object.keys(record));
  return { image: true, variables: variables ?? [], requests: requested ?? [], limits: limited ?? [], memory };
}

function refuseTwice(options: OptionReader, pod: Fields, beside: Beside): void {
  const refuse = (what: string, by: string, inPod: string): never =>
    options.problem(
      `${what} is said twice, by "${by}" and by "pod.${inPod}"`,
      'Leave one of them out: they mean the same.',
    );
  if (beside.image && isGiven(pod['image'])) refuse('the image', 'image', 'image');
  const variable = namesIn(pod['env']).find((name) => beside.variables.includes(name));
  if (variable !== undefined) refuse(`the variable ${variable}`, `env.${variable}`, 'env');
  for (const kind of ['requests', 'limits'] as const) {
    const quantities = plainRecord(plainRecord(pod['resources'])?.[kind]) ?? {};
    const name = beside[kind].find((resource) => isGiven(quantities[resource]));
    if (name !== undefined) refuse(`a quantity of ${name}`, `resources.${kind}.${name}`, `resources.${kind}.${name}`);
    if (kind === 'limits' && beside.memory && isGiven(quantities['memory']))
      refuse('the limit of memory', 'memory', 'resources.limits.memory');
  }
}

/** What is said beside is closer than what the pipeline says. */
function without(pod: Fields, beside: Beside): Fields {
  const { image, env, resources, ...rest } = pod;
  const variables = Array.isArray(env)
    ? env.filter((variable) => namesIn([variable]).every((name) => !beside.variables.includes(name)))
    : env;
  const quantities = plainRecord(resources);
  const limits = beside.memory ? [...beside.limits, 'memory'] : beside.limits;
  return withoutUndefined({
    ...rest,
    image: beside.image ? undefined : image,
    env: variables,
    resources:
      quantities === null
        ? resources
        : withoutUndefined({
            ...quantities,
            requests: withoutNames(quantities['requests'], beside.requests),
            limits: withoutNames(quantities['limits'], limits),
          }),
  });
}

function withoutNames(record: unknown, names: readonly string[]): unknown {
  const fields = plainRecord(record);
  return fields === null
    ? record
    : Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function namesIn(variables: unknown): readonly string[] {
  if (!Array.isArray(variables)) return [];
  return variables.flatMap((variable: unknown) => {
    const name = plainRecord(variable)?.['name'];
    return typeof name === 'string' ? [name] : [];
  });
}
