/**
 * The rules that a shape cannot say. The words keep them already, with the place of the call; here they are proved of the
 * data, because what left the sandbox may have been made without the words.
 */
import {
  binaryMetrics,
  type Binding,
  type Environment,
  type PipelineDefinition,
  type Reference,
  type StepDefinition,
  type Template,
  type WaitWork,
  type Work,
} from '../pipeline/definition.ts';
import { repeatedGuardrail } from '../pipeline/challenge.ts';
import { definitionLimits } from '../pipeline/definition-limits.ts';
import { undeclaredOutput } from '../pipeline/declared-outputs.ts';
import { wrongUpdate } from '../pipeline/listening.ts';
import { wrongMemory } from '../pipeline/memory.ts';
import { deniedEnvironmentName } from '../pipeline/names.ts';
import { unreachable } from '../std/unreachable.ts';
import { compileLimits } from './compile.ts';

/** A step that was looked at already. */
interface Before {
  readonly definition: StepDefinition;
  readonly position: number;
  /** Steps of the longest chain that ends here. */
  readonly depth: number;
}

/** Sentences about what is wrong, `problemsMax` at most; empty where nothing is. */
export function brokenRules(definition: PipelineDefinition): readonly string[] {
  const broken: string[] = [];
  for (const sentence of sentences(definition)) {
    broken.push(sentence);
    if (broken.length === compileLimits.problemsMax) break;
  }
  return broken;
}

/** Looks no further than it is asked to: of a hostile definition there are hundreds of thousands. */
function* sentences(definition: PipelineDefinition): Generator<string> {
  const before = new Map<string, Before>();
  let edges = 0;
  for (const step of definition.steps) {
    for (const what of aboutStep(definition, before, step)) yield `step "${step.name}" ${what}`;
    const wrong = wrongUpdate(step);
    if (wrong !== null) yield wrong.what;
    edges += step.upstream.length;
    const depth = 1 + Math.max(0, ...step.upstream.map((name) => before.get(name)?.depth ?? 0));
    if (depth > definitionLimits.depthMax)
      yield `step "${step.name}" is at the end of a chain of more than ${definitionLimits.depthMax} steps`;
    before.set(step.name, { definition: step, position: before.size, depth });
  }
  // What comes after looks at every edge of every branch.
  if (edges > definitionLimits.edgesMax)
    yield `the pipeline has ${edges} edges, more than ${definitionLimits.edgesMax}`;
  else yield* wrongChoices(definition);
}

function* aboutStep(
  definition: PipelineDefinition,
  before: ReadonlyMap<string, Before>,
  step: StepDefinition,
): Generator<string> {
  if (before.has(step.name)) yield 'stands there twice';
  yield* wrongUpstream(step, before);
  for (const reference of referencesOf(step)) yield* wrongReference(definition, before, step, reference);
  for (const name of environmentNames(step)) {
    const denied = deniedEnvironmentName(name);
    if (denied !== null) yield `sets the variable "${name}", which ${denied}`;
  }
  yield* wrongTogether(step);
}

/** Edges point backwards only, which also proves that there is no cycle. */
function* wrongUpstream(step: StepDefinition, before: ReadonlyMap<string, Before>): Generator<string> {
  const unknown = step.upstream.find((name) => !before.has(name));
  if (unknown !== undefined) yield `comes after "${unknown}", which does not stand before it`;
  const positions = step.upstream.map((name) => before.get(name)?.position ?? -1);
  if (positions.some((position, index) => index > 0 && position <= (positions[index - 1] ?? 0)))
    yield 'has its upstream steps twice or out of order';
}

function* wrongReference(
  { parameters }: PipelineDefinition,
  before: ReadonlyMap<string, Before>,
  step: StepDefinition,
  reference: Reference,
): Generator<string> {
  if ('parameter' in reference && !Object.hasOwn(parameters, reference.parameter))
    yield `uses the parameter "${reference.parameter}", which does not exist`;
  if ('output' in reference && !step.upstream.includes(reference.output))
    yield `uses the output of "${reference.output}" without coming after it`;
  if ('output' in reference) {
    const giver = before.get(reference.output)?.definition;
    const undeclared = giver === undefined ? null : undeclaredOutput(giver, reference.path);
    if (undeclared !== null) yield `uses an output that is not there: ${undeclared.what}. ${undeclared.help}`;
  }
  if ('item' in reference && step.map?.axes.some((axis) => axis.name === reference.item) !== true)
    yield `uses "${reference.item}", which it is not mapped over`;
}

function* wrongTogether(step: StepDefinition): Generator<string> {
  if (step.triggerRule === 'always' && step.map?.axes.some((axis) => !('literal' in axis.over)) === true)
    yield 'is mapped over an output and has the rule "always"';
  if (step.map !== null && decisions.has(step.work.kind)) yield 'decides, and is mapped';
  if (step.cache !== null && !['function', 'command', 'container'].includes(step.work.kind))
    yield `has a cache, which is for functions, commands and containers, and not for a ${step.work.kind}`;
  const memory = wrongMemory(step);
  if (memory !== null) yield memory;
  if (step.work.kind === 'challenge') {
    const binary: readonly string[] = binaryMetrics;
    for (const metric of [step.work.metric, ...step.work.guardrails.map((guardrail) => guardrail.metric)]) {
      if (binary.includes(metric) !== (step.work.task === 'binary'))
        yield `measures ${metric}, which is no metric of the task ${step.work.task}`;
    }
    const twice = repeatedGuardrail(step.work.guardrails);
    if (twice !== null) yield `has two guardrails for ${twice}`;
    if ((step.work.score === null) === (step.work.predictions === null))
      yield 'has to have either a score or predictions';
  }
}

/** One outcome for all that comes after: instances could disagree. */
const decisions: ReadonlySet<Work['kind']> = new Set(['branch', 'short-circuit', 'approval', 'gate', 'challenge']);

function* wrongChoices({ steps }: PipelineDefinition): Generator<string> {
  for (const { name, work, finally: isFinally } of steps) {
    if (work.kind !== 'branch') continue;
    const after = new Map(steps.filter(({ upstream }) => upstream.includes(name)).map((step) => [step.name, step]));
    for (const choice of work.choices) {
      const chosen = after.get(choice);
      const what = `branch "${name}" may choose "${choice}", which is`;
      if (chosen === undefined) yield `${what} no step directly after it`;
      else if (chosen.finally && !isFinally) yield `${what} a finally-step, and runs whatever is chosen`;
    }
  }
}

function environmentNames(step: StepDefinition): readonly string[] {
  const { work } = step;
  if (work.kind === 'command' || work.kind === 'container') return Object.keys(work.environment);
  return work.kind === 'challenge' && work.score?.kind === 'command' ? Object.keys(work.score.environment) : [];
}

/** Every reference that the step holds, wherever it stands. */
function referencesOf(step: StepDefinition): readonly Reference[] {
  const axes = (step.map?.axes ?? []).flatMap((axis) => inBinding(axis.over));
  const pod = step.pod === undefined ? [] : inBinding(step.pod);
  return [...axes, ...pod, ...inWork(step)];
}

function inWork({ work }: StepDefinition): readonly Reference[] {
  switch (work.kind) {
    case 'function':
    case 'branch':
    case 'short-circuit':
      return inBinding(work.input);
    case 'command':
      return [...inTemplates(work.command), ...inEnvironment(work.environment)];
    case 'container':
      return [
        ...inTemplates([work.image, ...work.command, ...work.args, ...(work.localCommand ?? [])]),
        ...inEnvironment(work.environment),
      ];
    case 'gate':
      return inBinding(work.data);
    case 'challenge': {
      const predictions = work.predictions === null ? [] : inBinding(work.predictions);
      if (work.score === null) return [...inBinding(work.challenger), ...predictions];
      const score =
        work.score.kind === 'function'
          ? inBinding(work.score.input)
          : [...inTemplates(work.score.command), ...inEnvironment(work.score.environment)];
      return [...inBinding(work.challenger), ...predictions, ...score];
    }
    case 'wait':
      return inWait(work.for);
    case 'approval':
      return work.message === null ? [] : inTemplates([work.message]);
    default:
      return unreachable(work);
  }
}

function inWait(awaited: WaitWork['for']): readonly Reference[] {
  switch (awaited.condition) {
    case 'file':
      return inTemplates([awaited.path]);
    case 'http':
      return inTemplates([awaited.url]);
    case 'object':
      return inTemplates([awaited.url]);
    case 'pipeline':
    case 'step':
      return inTemplates([awaited.date]);
    case 'function':
      return inBinding(awaited.input);
    default:
      return unreachable(awaited);
  }
}

function inBinding(binding: Binding): readonly Reference[] {
  if ('reference' in binding) return [binding.reference];
  if ('template' in binding) return inTemplates([binding.template]);
  if ('list' in binding) return binding.list.flatMap(inBinding);
  return 'record' in binding ? Object.values(binding.record).flatMap(inBinding) : [];
}

function inTemplates(templates: readonly Template[]): readonly Reference[] {
  return templates.flatMap((template) =>
    typeof template === 'string' ? [] : template.filter((part) => typeof part !== 'string'),
  );
}

function inEnvironment(environment: Environment): readonly Reference[] {
  return inTemplates(Object.values(environment));
}
