/** What a definition may say, and what will not go well everywhere. */
import { bindingAt, itemsOf, textAt } from '../pipeline/binding-view.ts';
import type { Binding, PipelineDefinition, StepDefinition, WaitWork } from '../pipeline/definition.ts';
import { storeForm } from './store-problems.ts';

export interface Surroundings {
  /** By name, those that are right. */
  readonly pipelines: ReadonlyMap<string, PipelineDefinition>;
  /** There is a `contender.yaml`, or it is not known. */
  readonly hasSettings: boolean;
  /** Names of the volumes that the settings give to pods; null where they name no cluster. */
  readonly volumes: ReadonlySet<string> | null;
}

export function warningsOf(definition: PipelineDefinition, surroundings: Surroundings): readonly string[] {
  const { steps, on } = definition;
  const ofSteps = steps.flatMap((step) => {
    const warning =
      containerWarning(step, surroundings) ??
      storeWarning(step, surroundings) ??
      volumeWarning(step, surroundings) ??
      waitWarning(definition, step, surroundings);
    return warning === null ? [] : [`step "${step.name}" ${warning}`];
  });
  // A file that is broken now may define it: no problem, then, of this one.
  const unknown = (on.pipelines ?? []).filter(({ name }) => !surroundings.pipelines.has(name));
  const alone = unknown.map(({ name }) => `it follows "${name}", which no file here defines, so nothing starts it`);
  return [...ofSteps, ...alone];
}

function containerWarning({ work }: StepDefinition, { volumes }: Surroundings): string | null {
  if (work.kind !== 'container' || work.localCommand !== null || volumes !== null) return null;
  return 'is a container without `local: { command: [...] }`, so it fails where there are no containers';
}

/** Where there are settings, a store that they do not declare is a problem. */
function storeWarning(step: StepDefinition, { hasSettings }: Surroundings): string | null {
  if (hasSettings || step.work.kind !== 'wait' || step.work.for.condition !== 'object') return null;
  return `waits for an object, and no contender.yaml declares its store: ${storeForm(step)}`;
}

/** Each pod has them. */
const ownVolumes: ReadonlySet<string> = new Set(['contender', 'tmp']);

/** Every server's settings are its own: of those here it is known what they give. */
function volumeWarning({ pod }: StepDefinition, { volumes }: Surroundings): string | null {
  if (pod === undefined) return null;
  const declared = namesIn(pod, ['volumes'], ['patch', 'spec', 'volumes']);
  const beside = ['initContainers', 'sidecars'].flatMap((list) => itemsOf(bindingAt(pod, [list])));
  const lacking = [pod, ...beside]
    .flatMap((container) => namesIn(container, ['volumeMounts'], ['volumeDevices']))
    .find((name) => !ownVolumes.has(name) && !declared.includes(name) && volumes?.has(name) !== true);
  if (lacking === undefined) return null;
  return volumes === null
    ? `mounts the volume "${lacking}", which its \`pod\` does not declare: a cluster makes its pod only where \`executor.kubernetes.pod\` of contender.yaml does`
    : `mounts the volume "${lacking}", which neither its \`pod\` nor contender.yaml declares, so its pod cannot be made`;
}

/** Of the lists at these places, as far as they are written out. */
function namesIn(pod: Binding, ...places: readonly (readonly string[])[]): readonly string[] {
  return places.flatMap((place) => itemsOf(bindingAt(pod, place)).flatMap((item) => textAt(item, 'name') ?? []));
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
