/** The options that every step takes, and how a call of a word becomes a step of the open build. */
import { writeDuration } from '../std/duration.ts';
import { bind, use } from './binding.ts';
import { addStep, openBuild, type Build, type Call, type StepDefaults, type StepFunction } from './build.ts';
import {
  triggerRules,
  type CacheDefinition,
  type OutputType,
  type PoolClaim,
  type RetryDefinition,
  type StepDefinition,
  type TriggerRule,
  type Work,
} from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import { handleData, hasMarker, makeHandle, type Handle } from './handle.ts';
import { readUpdates, wrongUpdate, type UpdatesOption } from './listening.ts';
import {
  checkGrowth,
  checkRequest,
  memoryOptionNames,
  readMemory,
  resourcesMemory,
  type MemoryOptions,
  type ResourcesMemory,
} from './memory.ts';
import { misuse, shown } from './misuse.ts';
import { environmentNamePattern, pipelineNamePattern, stepNamePattern } from './names.ts';
import { OptionReader, plainRecord } from './options.ts';
import type { PodOptions } from './pod.ts';
import { bindPod, readPod } from './pod-options.ts';

/** Retries, limits of time and memory, secrets, pool, priority, queue, time to start, pod: of one step, or of the pipeline for all of its steps. */
export interface EffortOptions extends MemoryOptions {
  /** Tries after the first that failed by the step's own code. 0 unless given. */
  readonly retries?: number;
  /** Before the first retry: `'10m'`. 10 s unless given. */
  readonly retryDelay?: string;
  /** What the delay is multiplied by after each try. 2 unless given; 1 keeps it. */
  readonly retryBackoff?: number;
  /** The delay grows no longer than this. 10 min unless given, or the first delay where that is longer. */
  readonly maxRetryDelay?: string;
  /** Of one attempt. 6 h unless given. */
  readonly timeout?: string;
  /** Between the warning (SIGTERM) and the end (SIGKILL). 30 s unless given. */
  readonly grace?: string;
  /** Names of secrets that the environment gets. */
  readonly secrets?: readonly string[];
  /** A pool of `contender.yaml` whose slots an attempt takes, beside one of the executor. `null`: none after all. */
  readonly pool?: string | null;
  /** How many slots of the pool. 1 unless given. */
  readonly poolSlots?: number;
  /** From -1000 to 1000: of those that wait for a slot, the highest gets it. 0 unless given. */
  readonly priority?: number;
  /** Where workers carry it out: those that serve this queue. That of the configuration unless given; `null`: that after all. */
  readonly queue?: string | null;
  /** From the wish for a pod or worker until it has begun: `'1h'`. What the configuration says unless given; `null`: that after all. */
  readonly startTimeout?: string | null;
  /**
   * Where it runs as a pod: what the pod is like, in Kubernetes' own names. A step's is merged over the pipeline's, field by
   * field; `null`: nothing of the pipeline's.
   */
  readonly pod?: PodOptions | null;
}

/** What every step takes. */
export interface StepOptions extends EffortOptions {
  /** Markdown. */
  readonly description?: string;
  /** Steps to wait for whose output is not used. */
  readonly after?: Handle<unknown> | readonly Handle<unknown>[];
  /** Which ends of the steps before let this one run. `all_success` unless given. */
  readonly triggerRule?: TriggerRule;
  /**
   * Runs when all else has ended, whatever became of it: also in a run that was cancelled or is over its `runTimeout`. The
   * run fails where it does.
   */
  readonly finally?: boolean;
  /** Datasets that have changed when it has succeeded: pipelines that listen to them are started. */
  readonly updates?: UpdatesOption;
}

export const effortOptionNames = [
  'retries',
  'retryDelay',
  'retryBackoff',
  'maxRetryDelay',
  'timeout',
  'grace',
  ...memoryOptionNames,
  'secrets',
  'pool',
  'poolSlots',
  'priority',
  'queue',
  'startTimeout',
  'pod',
];
const stepOptionNames = [...effortOptionNames, 'description', 'after', 'triggerRule', 'finally', 'updates'];

const dayMs = 86_400_000;

export const stepDefaults: StepDefaults = {
  retry: { count: 0, delayMs: 10_000, factor: 2, delayMaxMs: 600_000 },
  timeoutMs: definitionLimits.timeoutDefaultMs,
  graceMs: definitionLimits.graceDefaultMs,
  secrets: [],
};

/** What `options` say over `defaults`; `resources`: the memory that those of a container or pod may take. */
export function readEffort(
  options: OptionReader,
  defaults: StepDefaults,
  resources: ResourcesMemory | null = null,
): StepDefaults {
  if (resources === null && !options.hasAny(effortOptionNames)) return defaults;
  const delayMs = options.durationMs('retryDelay', { minMs: 0, maxMs: 7 * dayMs }, defaults.retry.delayMs);
  const delayMaxMs = options.durationMs('maxRetryDelay', { minMs: 0, maxMs: 7 * dayMs }, defaults.retry.delayMaxMs);
  if (options.has('maxRetryDelay') && delayMaxMs < delayMs) {
    const first = writeDuration(delayMs);
    options.problem(
      `option "maxRetryDelay" is shorter than the first delay, of ${first}`,
      `Give a "maxRetryDelay" of ${first} or more, or a shorter "retryDelay".`,
    );
  }
  const retry: RetryDefinition = {
    count: options.number('retries', { min: 0, max: definitionLimits.retriesMax, integer: true }, defaults.retry.count),
    delayMs,
    factor: options.number('retryBackoff', { min: 1, max: 100 }, defaults.retry.factor),
    delayMaxMs: Math.max(delayMs, delayMaxMs),
  };
  const secrets = [...new Set([...defaults.secrets, ...options.texts('secrets', [])])];
  const wrong = secrets.find((name) => !environmentNamePattern.test(name));
  if (wrong !== undefined) options.wrong('secrets', 'a list of names such as DATABASE_PASSWORD', wrong);
  return {
    retry,
    timeoutMs: options.durationMs('timeout', { minMs: 1000, maxMs: 30 * dayMs }, defaults.timeoutMs),
    graceMs: options.durationMs('grace', { minMs: 0, maxMs: dayMs }, defaults.graceMs),
    secrets,
    ...readMemory(options, defaults.memory ?? null, resources),
    ...readPool(options, defaults.pool ?? null),
    ...readPriority(options, defaults.priority ?? 0),
    ...readQueue(options, defaults.queue ?? null),
    ...readStartTimeout(options, defaults.startTimeoutMs ?? null),
  };
}

/** What the pipeline says is the longest delay of its steps holds until a step says another; the one unless given gives way. */
function checkDelay(options: OptionReader, { limitsDelay, defaults }: Build, { delayMs }: RetryDefinition): void {
  const { delayMaxMs } = defaults.retry;
  if (!limitsDelay || options.has('maxRetryDelay') || delayMs <= delayMaxMs) return;
  const longest = writeDuration(delayMaxMs);
  options.problem(
    `option "retryDelay" is longer than the pipeline's "maxRetryDelay", of ${longest}`,
    `Give a "retryDelay" of ${longest} or less, or this step a "maxRetryDelay" of its own, of ${writeDuration(delayMs)} or more.`,
  );
}

/** Left out where there is none, so that a definition without pools has the digest that it always had. */
function readPool(options: OptionReader, before: PoolClaim | null): Pick<StepDefaults, 'pool'> {
  const name = options.raw('pool') === null ? null : options.text('pool', before?.name ?? null);
  if (name === null) {
    if (options.has('poolSlots') && options.raw('poolSlots') !== null)
      options.problem('option "poolSlots" is given without a pool', 'Name the pool too: pool: "gpu", poolSlots: 2.');
    return {};
  }
  if (!pipelineNamePattern.test(name)) options.wrong('pool', 'a name of lower-case letters, digits and "-"', name);
  const range = { min: 1, max: definitionLimits.poolSlotsMax, integer: true };
  const slots = options.number('poolSlots', range, before?.name === name ? before.slots : 1);
  return { pool: { name, slots } };
}

function readPriority(options: OptionReader, before: number): Pick<StepDefaults, 'priority'> {
  const { priorityMin: min, priorityMax: max } = definitionLimits;
  const priority = options.number('priority', { min, max, integer: true }, before);
  return priority === 0 ? {} : { priority };
}

function readQueue(options: OptionReader, before: string | null): Pick<StepDefaults, 'queue'> {
  const queue = options.raw('queue') === null ? null : options.text('queue', before);
  if (queue === null) return {};
  if (!pipelineNamePattern.test(queue)) options.wrong('queue', 'a name of lower-case letters, digits and "-"', queue);
  return { queue };
}

function readStartTimeout(options: OptionReader, before: number | null): Pick<StepDefaults, 'startTimeoutMs'> {
  if (options.raw('startTimeout') === null) return {};
  const startTimeoutMs = options.durationMs('startTimeout', { minMs: 1000, maxMs: 30 * dayMs }, before);
  return startTimeoutMs === null ? {} : { startTimeoutMs };
}

export interface StepCall extends Call {
  readonly name: string;
  readonly options: OptionReader;
}

/** Opens a call: proves the name and that all options are known. `own` are the options of this word alone. */
export function openStep(word: string, name: unknown, options: unknown, own: readonly string[]): StepCall {
  const build = openBuild(word);
  const label = `${word} ${shown(name)}`;
  const full = checkName(build, label, name);
  if (build.map !== null && build.map.step !== null) {
    misuse(
      'definition-map',
      `${label}: a map holds one step, and this one has "${build.map.step}" already`,
      'Map each step by itself: the second takes the list that the first map gives back, and maps over it.',
    );
  }
  return {
    label,
    build,
    upstream: new Set(),
    name: full,
    options: new OptionReader(label, options, own.concat(stepOptionNames)),
  };
}

function checkName(build: Build, label: string, name: unknown): string {
  if (typeof name === 'string' && hasMarker(name)) {
    misuse(
      'definition-name',
      `${label}: a name cannot depend on a value of the run`,
      'Name the step after what it does; its input may depend on the run.',
    );
  }
  if (typeof name !== 'string' || !stepNamePattern.test(name) || name.includes('/')) {
    misuse(
      'definition-name',
      `${label}: the name is not allowed`,
      'Names are lower-case letters, digits, "-" and "_", and begin with a letter: "train-model". Use group() for names with a slash.',
    );
  }
  const full = build.prefix + name;
  if (full.length > definitionLimits.stepNameLengthMax) {
    misuse(
      'definition-name',
      `${label}: the name has ${full.length} characters with its groups`,
      `Shorten it to at most ${definitionLimits.stepNameLengthMax}.`,
    );
  }
  if (build.positions.has(full)) {
    misuse(
      'definition-name',
      `${label}: there is a step of this name already in ${build.scope.label}`,
      'Names are unique in a pipeline: rename one, or put them into different groups.',
    );
  }
  return full;
}

/** Closes a call: adds the step, and gives the handle of its output. */
export function closeStep<Output>(
  call: StepCall,
  work: Work,
  outputs: { readonly [key: string]: OutputType } = {},
  run: StepFunction | null = null,
): Handle<Output> {
  const { build, options, upstream, name } = call;
  readAfter(call);
  for (const step of build.map?.upstream ?? []) upstream.add(step);
  const pod = readPod(options, work, build.pod?.fields ?? null);
  const resources = resourcesMemory(options, work, pod);
  // Before the edges are known: its handles make some.
  const bound = bindPod(call, pod);
  const effort = readEffort(options, defaultsOf(build, resources), resources);
  checkGrowth(options, effort.retry.count);
  checkDelay(options, build, effort.retry);
  // What stands among resources is held to them.
  if (resources === null) checkRequest(options, work, effort.memory);
  const updates = readUpdates(options);
  const definition: StepDefinition = {
    name,
    description: options.text('description', null),
    upstream: [...upstream].sort((one, other) => (build.positions.get(one) ?? 0) - (build.positions.get(other) ?? 0)),
    triggerRule: options.choice('triggerRule', triggerRules, 'all_success'),
    finally: options.flag('finally', false),
    ...effort,
    ...bound,
    cache: readCache(options),
    map: build.map?.definition ?? null,
    outputs,
    ...(updates.length === 0 ? {} : { updates }),
    work,
  };
  checkRules(call, definition);
  addStep(build, definition, run, options.has('pod'));
  if (build.map !== null) build.map.step = name;
  return makeHandle<Output>({
    reference: { output: name, path: [] },
    scope: build.map?.scope ?? build.scope,
    label: name,
  });
}

/** The limit of the pipeline's pod goes where the step takes that from it. */
function defaultsOf({ defaults, pod }: Build, resources: ResourcesMemory | null): StepDefaults {
  if (resources !== null || pod === null || !pod.limitsMemory) return defaults;
  const { memory: _memory, ...others } = defaults;
  return others;
}

/** Words without the option have none. */
function readCache(options: OptionReader): CacheDefinition | null {
  const value = options.raw('cache') ?? false;
  if (typeof value === 'boolean') return value ? { forMs: null, paths: [] } : null;
  if (plainRecord(value) === null) options.wrong('cache', 'true, false or an object with for, paths', value);
  const given = options.nested('cache', ['for', 'paths']);
  return {
    forMs: given?.durationMs('for', { minMs: 1000, maxMs: 366 * dayMs }, null) ?? null,
    paths: given?.globs('paths') ?? [],
  };
}

function readAfter(call: StepCall): void {
  const after = call.options.raw('after');
  if (after === undefined || after === null) return;
  for (const item of Array.isArray(after) ? after : [after]) {
    const handle = handleData(item);
    if (handle === null || !('output' in handle.reference))
      call.options.wrong('after', 'a step, or a list of steps: what the words give back', item);
    else use(call, handle);
  }
}

function checkRules(call: StepCall, definition: StepDefinition): void {
  if (definition.triggerRule === 'always' && definition.map?.axes.some(({ over }) => !('literal' in over)) === true) {
    misuse(
      'definition-map',
      `${call.label}: a step that is mapped over an output cannot have the trigger rule "always"`,
      'Whether there is a list to map over is known only when the step before has succeeded: use another rule, such as "all_done", on a step after it.',
    );
  }
  const wrong = wrongUpdate(definition);
  if (wrong !== null) misuse('definition-option', `${call.label}: ${wrong.what}`, wrong.help);
  if (definition.finally && definition.triggerRule === 'all_success' && call.options.has('triggerRule')) {
    misuse(
      'definition-option',
      `${call.label}: a finally-step cannot have the trigger rule "all_success"`,
      'Leave the rule out, and it runs whatever became of the others; or take `finally` away, or take another rule, such as "none_failed", which is then about all other steps.',
    );
  }
  const ending = definition.finally ? undefined : definition.upstream.find((name) => isFinally(call.build, name));
  if (ending !== undefined) {
    misuse(
      'definition-option',
      `${call.label} comes after "${ending}", which runs only when all else has ended`,
      'Give this step `finally: true` too, or take the edge away.',
    );
  }
}

function isFinally(build: Build, name: string): boolean {
  return build.steps[build.positions.get(name) ?? -1]?.definition.finally === true;
}

/** The option `input` as a binding. */
export function readInput(call: StepCall): ReturnType<typeof bind> {
  return bind(call, 'input', call.options.raw('input') ?? {});
}

/** The option that holds the user's function. */
export function readFunction(call: StepCall, options: OptionReader = call.options, name = 'run'): StepFunction {
  const run = options.raw(name);
  if (run === undefined) return options.missing(name);
  if (typeof run !== 'function' || handleData(run) !== null) return options.wrong(name, 'a function', run);
  // Proved to be a function; what it takes is the runner's to give.
  return run as StepFunction;
}
