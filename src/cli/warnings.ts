/** What a definition may say, and what will not go well everywhere. */
import { storeForm } from './store-problems.ts';
import type { PipelineDefinition, StepDefinition, WaitWork } from '../pipeline/definition.ts';

export interface Surroundings {
  /** By name, those that are right. */
  readonly pipelines: ReadonlyMap<string, PipelineDefinition>;
  /** There is a `contender.yaml`, or it is not known. */
  readonly hasSettings: boolean;
  /** The settings name a cluster. */
  readonly hasContainers: boolean;
}

export function warningsOf(definition: PipelineDefinition, surroundings: Surroundings): readonly string[] {
  const { steps, on } = definition;
  const ofSteps = steps.flatMap((step) => {
    const warning =
      containerWarning(step, surroundings) ??
      storeWarning(step, surroundings) ??
      waitWarning(definition, step, surroundings);
    return warning === null ? [] : [`step "${step.name}" ${warning}`];
  });
  // A file that is broken now may define it: no problem, then, of this one.
  const unknown = (on.pipelines ?? []).filter(({ name }) => !surroundings.pipelines.has(name));
  const alone = unknown.map(({ name }) => `it follows "${name}", which no file here defines, so nothing starts it`);
  return [...ofSteps, ...alone];
}

function containerWarning({ work }: StepDefinition, { hasContainers }: Surroundings): string | null {
  if (work.kind !== 'container' || work.localCommand !== null || hasContainers) return null;
  return 'is a container without `local: { command: [...] }`, so it fails where there are no containers';
}

/** Where there are settings, a store that they do not declare is a problem. */
function storeWarning(step: StepDefinition, { hasSettings }: Surroundings): string | null {
  if (hasSettings || step.work.kind !== 'wait' || step.work.for.condition !== 'object') return null;
  return `waits for an object, and no contender.yaml declares its store: ${storeForm(step)}`;
}

function waitWarning(
  { name }: PipelineDefinition,
  { work }: StepDefinition,
  { pipelines }: Surroundings,
): string | null {
  if (work.kind !== 'wait') return null;
  const awaited = work.for;
  if (awaited.condition !== 'pipeline' && awaited.condition !== 'step') return null;
  const other = pipelines.get(awaited.pipeline);
  if (other === undefined)
    return `waits for "${awaited.pipeline}", which no file here defines, so it waits until its time is over`;
  if (awaited.condition === 'pipeline')
    return other.name === name && isOwnDate(awaited) ? 'waits for the end of the run that it belongs to' : null;
  if (other.steps.some((step) => step.name === awaited.step)) return null;
  return `waits for "${awaited.step}" of "${other.name}", which has no such step, so it waits until its time is over`;
}

/** Of the run itself, and neither moved nor given. */
function isOwnDate({ date, shiftMs }: Extract<WaitWork['for'], { condition: 'pipeline' }>): boolean {
  const [part, ...more] = typeof date === 'string' ? [] : date;
  if (shiftMs !== 0 || typeof part !== 'object' || more.length > 0) return false;
  return 'context' in part && ['date', 'timestamp'].includes(part.context);
}
