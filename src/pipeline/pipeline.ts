/** The word `pipeline`: opens a build, lets the user's function add its steps, and closes it into plain data. */
import { isPromise } from './binding.ts';
import { withBuild, type Build, type StepFunction } from './build.ts';
import { contextNames, type ContextName, type PipelineDefinition } from './definition.ts';
import { checkBranches } from './branch.ts';
import { handlesByName, makeHandle, type Handle, type HandleScope, type Nothing } from './handle.ts';
import { misuse, shown } from './misuse.ts';
import { pipelineNamePattern } from './names.ts';
import { resourcesMemory } from './memory.ts';
import { readNotify, type NotifyOptions } from './notify.ts';
import { OptionReader } from './options.ts';
import { readPodDefault } from './pod-options.ts';
import { readParameters, type ParameterHandles, type ParameterOptions } from './parameters.ts';
import { effortOptionNames, readEffort, stepDefaults, type EffortOptions } from './step-options.ts';
import { readTriggers, type TriggerOptions } from './triggers.ts';

/** Of the pipeline as a whole; retries, limits of time and memory, secrets, pool, priority, queue and pod are the defaults of its steps. */
export interface PipelineOptions<P extends ParameterOptions> extends EffortOptions {
  /** Markdown. */
  readonly description?: string;
  readonly owner?: string;
  readonly tags?: readonly string[];
  readonly on?: TriggerOptions;
  readonly parameters?: P;
  /** Runs of this pipeline at once. 16 unless given. */
  readonly maxActiveRuns?: number;
  /** What a new run does while another one is active: both (`allow`, unless given), none (`forbid`), or the new one only. */
  readonly overlap?: 'allow' | 'forbid' | 'replace';
  /** A new commit of a branch or pull request cancels the runs of the one before. */
  readonly cancelInProgress?: boolean;
  /** The run fails when it has taken this long. */
  readonly runTimeout?: string;
  /** What the finally-steps have when the run is cancelled, or over its `runTimeout`. `30m` unless given. */
  readonly finallyTimeout?: string;
  /** Notifies when the run has taken this long, and lets it go on. */
  readonly deadline?: string;
  /** Channels of `contender.yaml` that are told of missed deadlines and of failures, or of each by itself. */
  readonly notify?: readonly string[] | NotifyOptions;
  /** Alerts when the champion of `model` is older than this. */
  readonly freshness?: { readonly model: string; readonly within: string };
}

/** Handles of what every run knows about itself. */
export type PipelineContext<P extends ParameterOptions> = {
  readonly [Name in Exclude<ContextName, 'attempt'>]: Handle<string>;
} & {
  readonly attempt: Handle<number>;
  readonly parameters: ParameterHandles<P>;
};

/** The default export of a file in `.pipelines`. */
export interface Pipeline {
  readonly name: string;
  readonly definition: PipelineDefinition;
}

/** What the runner and compile find in the default export, whichever copy of this module made it. */
export const contentsKey = Symbol.for('contender.pipeline');

export interface PipelineContents {
  readonly definition: PipelineDefinition;
  readonly functions: ReadonlyMap<string, StepFunction>;
  /** Stack of the call of `pipeline`, for problems that show only when all is known. */
  readonly stack: string;
  /** Of the calls of steps that say what is checked outside of the sandbox: of their pods, a pool, a store. Absent: none does. */
  readonly stacks?: ReadonlyMap<string, string>;
}

const dayMs = 86_400_000;
const headOptionNames = ['description', 'owner', 'tags', 'on', 'parameters', 'maxActiveRuns', 'overlap', 'freshness'];
const endOptionNames = ['cancelInProgress', 'runTimeout', 'finallyTimeout', 'deadline', 'notify'];
const optionNames = [...headOptionNames, ...endOptionNames, ...effortOptionNames];

/** Defines a pipeline; make it the default export of a file in `.pipelines`. `define` adds the steps, synchronously. */
export function pipeline<const P extends ParameterOptions = Nothing>(
  name: string,
  options: PipelineOptions<P>,
  define: (context: PipelineContext<P>) => void,
): Pipeline {
  const at = new Error(`pipeline ${shown(name)}`);
  const label = `pipeline ${shown(name)}`;
  if (typeof name !== 'string' || !pipelineNamePattern.test(name)) {
    misuse(
      'definition-name',
      `${label}: the name is not allowed`,
      'Names are lower-case letters, digits and "-", begin with a letter and have at most 63 characters: "weekly-churn".',
    );
  }
  const reader = new OptionReader(label, options, optionNames);
  const scope: HandleScope = { label, parent: null, open: true };
  const pod = readPodDefault(reader);
  const resources = resourcesMemory(reader, null, pod);
  const build: Build = {
    scope,
    defaults: readEffort(reader, stepDefaults, resources),
    limitsDelay: reader.has('maxRetryDelay'),
    pod: pod === null ? null : { fields: pod, limitsMemory: resources !== null },
    steps: [],
    positions: new Map(),
    functions: new Map(),
    prefix: '',
    map: null,
  };
  const head = readHead(reader, name, label);
  if (typeof define !== 'function') {
    misuse(
      'definition-option',
      `${label}: the third argument is ${shown(define)}`,
      'Give the function that adds the steps: pipeline(name, options, ({ date }) => { step(...) }).',
    );
  }
  // The handles are made by the names of the definition's own parameters, as the type says.
  const given = withBuild(build, () => define(contextHandles(scope, head.parameters) as PipelineContext<P>));
  if (isPromise(given)) {
    misuse(
      'definition-promise',
      `${label}: the function that defines it is async`,
      'Take `async` away: a definition is complete at once. Await inside the function of a step.',
      at,
    );
  }
  if (build.steps.length === 0)
    misuse('definition-invalid', `${label} has no step`, 'Add one: step("hello", { command: ["echo", "hello"] }).', at);
  checkBranches(build);
  const definition: PipelineDefinition = { ...head, steps: build.steps.map((built) => built.definition) };
  const contents: PipelineContents = {
    definition,
    functions: build.functions,
    stack: at.stack ?? '',
    ...stacksOf(build),
  };
  const made: Pipeline = { name, definition };
  return Object.freeze(Object.defineProperty(made, contentsKey, { value: contents }));
}

function stacksOf(build: Build): Pick<PipelineContents, 'stacks'> {
  const stacks = build.steps.flatMap(({ definition: { name, work }, at }) =>
    work.kind === 'branch' || at?.stack === undefined ? [] : [[name, at.stack] as const],
  );
  return stacks.length === 0 ? {} : { stacks: new Map(stacks) };
}

function readHead(options: OptionReader, name: string, label: string): Omit<PipelineDefinition, 'steps'> {
  const freshness = options.nested('freshness', ['model', 'within']);
  const limit = { minMs: 1000, maxMs: 90 * dayMs };
  const finallyTimeoutMs = options.durationMs('finallyTimeout', limit, null);
  return {
    name,
    description: options.text('description', null),
    owner: options.text('owner', null),
    tags: options.texts('tags', []),
    on: readTriggers(options),
    parameters: readParameters(options, label),
    maxActiveRuns: options.number('maxActiveRuns', { min: 1, max: 1000, integer: true }, 16),
    overlap: options.choice('overlap', ['allow', 'forbid', 'replace'], 'allow'),
    cancelInProgress: options.flag('cancelInProgress', false),
    runTimeoutMs: options.durationMs('runTimeout', limit, null),
    deadlineMs: options.durationMs('deadline', limit, null),
    freshness:
      freshness === null
        ? null
        : {
            model: freshness.requiredText('model'),
            withinMs: freshness.durationMs('within', limit, null) ?? freshness.missing('within'),
          },
    ...(finallyTimeoutMs === null ? {} : { finallyTimeoutMs }),
    ...readNotify(options),
  };
}

function contextHandles(scope: HandleScope, parameters: PipelineDefinition['parameters']): unknown {
  const context = contextNames.map((name) => [name, makeHandle({ reference: { context: name }, scope, label: name })]);
  const handles = Object.keys(parameters).map((name) => [
    name,
    makeHandle({ reference: { parameter: name }, scope, label: `parameters.${name}` }),
  ]);
  return handlesByName('handle', {
    ...Object.fromEntries(context),
    parameters: handlesByName('parameter', Object.fromEntries(handles)),
  });
}
