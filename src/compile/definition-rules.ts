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
import { definitionLimits } from '../pipeline/definition-limits.ts';
import { undeclaredOutput } from '../pipeline/declared-outputs.ts';
import { wrongUpdate } from '../pipeline/listening.ts';
import { wrongMemory } from '../pipeline/memory.ts';
import { deniedEnvironmentName } from '../pipeline/names.ts';
import { unreachable } from '../std/unreachable.ts';

/** A step that was looked at already. */
interface Before {
  readonly definition: StepDefinition;
  readonly position: number;
  /** Steps of the longest chain that ends here. */
  readonly depth: number;
}

/** Sentences about what is wrong; empty where nothing is. */
export function brokenRules(definition: PipelineDefinition): readonly string[] {
  const broken: string[] = [];
  const before = new Map<string, Before>();
  let edges = 0;
  for (const step of definition.steps) {
    const say = (what: string): void => void broken.push(`step "${step.name}" ${what}`);
    if (before.has(step.name)) say('stands there twice');
    checkUpstream(step, before, say);
    for (const reference of referencesOf(step)) checkReference(definition, before, step, reference, say);
    for (const name of environmentNames(step)) {
      const denied = deniedEnvironmentName(name);
      if (denied !== null) say(`sets the variable "${name}", which ${denied}`);
    }
    checkOne(step, say);
    const wrong = wrongUpdate(step);
    if (wrong !== null) broken.push(wrong.what);
    edges += step.upstream.length;
    const depth = 1 + Math.max(0, ...step.upstream.map((name) => before.get(name)?.depth ?? 0));
    if (depth > definitionLimits.depthMax)
      say(`is at the end of a chain of more than ${definitionLimits.depthMax} steps`);
    before.set(step.name, { definition: step, position: before.size, depth });
    if (broken.length > 10) return broken;
  }
  if (edges > definitionLimits.edgesMax)
    broken.push(`the pipeline has ${edges} edges, more than ${definitionLimits.edgesMax}`);
  checkChoices(definition, broken);
  return broken;
}

/** Edges point backwards only, which also proves that there is no cycle. */
function checkUpstream(step: StepDefinition, before: ReadonlyMap<string, Before>, say: (what: string) => void): void {
  const unknown = step.upstream.find((name) => !before.has(name));
  if (unknown !== undefined) say(`comes after "${unknown}", which does not stand before it`);
  const positions = step.upstream.map((name) => before.get(name)?.position ?? -1);
  if (positions.some((position, index) => index > 0 && position <= (positions[index - 1] ?? 0)))
    say('has its upstream steps twice or out of order');
}

function checkReference(
  { parameters }: PipelineDefinition,
  before: ReadonlyMap<string, Before>,
  step: StepDefinition,
  reference: Reference,
  say: (what: string) => void,
): void {
  if ('parameter' in reference && !Object.hasOwn(parameters, reference.parameter))
    say(`uses the parameter "${reference.parameter}", which does not exist`);
  if ('output' in reference && !step.upstream.includes(reference.output))
    say(`uses the output of "${reference.output}" without coming after it`);
  if ('output' in reference) {
    const giver = before.get(reference.output)?.definition;
    const undeclared = giver === undefined ? null : undeclaredOutput(giver, reference.path);
    if (undeclared !== null) say(`uses an output that is not there: ${undeclared.what}. ${undeclared.help}`);
  }
  if ('item' in reference && step.map?.axes.some((axis) => axis.name === reference.item) !== true)
    say(`uses "${reference.item}", which it is not mapped over`);
}

function checkOne(step: StepDefinition, say: (what: string) => void): void {
  if (step.triggerRule === 'always' && step.map?.axes.some((axis) => !('literal' in axis.over)) === true)
    say('is mapped over an output and has the rule "always"');
  if (step.map !== null && decisions.has(step.work.kind)) say('decides, and is mapped');
  if (step.cache !== null && step.work.kind !== 'function' && step.work.kind !== 'command')
    say(`has a cache, which is for functions and commands, and not for a ${step.work.kind}`);
  const memory = wrongMemory(step);
  if (memory !== null) say(memory);
  if (step.work.kind === 'challenge') {
    const binary: readonly string[] = binaryMetrics;
    for (const metric of [step.work.metric, ...step.work.guardrails.map((guardrail) => guardrail.metric)]) {
      if (binary.includes(metric) !== (step.work.task === 'binary'))
        say(`measures ${metric}, which is no metric of the task ${step.work.task}`);
    }
    if ((step.work.score === null) === (step.work.predictions === null))
      say('has to have either a score or predictions');
  }
}

/** One outcome for all that comes after: instances could disagree. */
const decisions: ReadonlySet<Work['kind']> = new Set(['branch', 'short-circuit', 'approval', 'gate', 'challenge']);

function checkChoices(definition: PipelineDefinition, broken: string[]): void {
  for (const step of definition.steps) {
    if (step.work.kind !== 'branch') continue;
    for (const choice of step.work.choices) {
      const chosen = definition.steps.find((other) => other.name === choice && other.upstream.includes(step.name));
      const what = `branch "${step.name}" may choose "${choice}", which is`;
      if (chosen === undefined) broken.push(`${what} no step directly after it`);
      else if (chosen.finally && !step.finally) broken.push(`${what} a finally-step, and runs whatever is chosen`);
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
