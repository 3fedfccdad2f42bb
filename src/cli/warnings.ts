/** What a definition may say, and what will not go well everywhere. */
import type { Compiled } from '../compile/compile.ts';
import { bindingAt, itemsOf, textAt } from '../pipeline/binding-view.ts';
import type { Binding, PipelineDefinition, StepDefinition, WaitWork } from '../pipeline/definition.ts';
import { imageDigestOf } from '../pipeline/names.ts';
import type { Problem } from '../std/problem.ts';
import { storeForm } from './store-problems.ts';

/** A problem without a code: it refuses nothing. */
export type Warning = Omit<Problem, 'code'>;

export interface Surroundings {
  /** By name, those that are right. */
  readonly pipelines: ReadonlyMap<string, PipelineDefinition>;
  /** There is a `contender.yaml`, or it is not known. */
  readonly hasSettings: boolean;
  /** Names of the volumes that the settings give to pods; null where they name no cluster. */
  readonly volumes: ReadonlySet<string> | null;
  /** Steps run in pods or on workers, by the settings. */
  readonly stepsElsewhere: boolean;
}

/** What is so and what to do about it; of a step, the message follows its name. */
type Said = Omit<Warning, 'where'>;

export function warningsOf({ version, where }: Compiled, surroundings: Surroundings): readonly Warning[] {
  if (version === null) return [];
  const { definition } = version;
  const ofSteps = definition.steps.flatMap((step) => {
    const said =
      containerWarning(step, surroundings) ??
      imageWarning(step) ??
      storeWarning(step, surroundings) ??
      volumeWarning(step, surroundings) ??
      fileWarning(step, surroundings) ??
      waitWarning(definition, step, surroundings);
    if (said === null) return [];
    return [{ ...said, message: `step "${step.name}" ${said.message}`, where: where(step.name) }];
  });
  const ofAll = [
    ...followWarnings(definition, surroundings),
    ...parameterWarnings(definition),
    ...freshnessWarnings(definition),
  ];
  return [...ofSteps, ...ofAll.map((said) => ({ ...said, where: where(null) }))];
}

/** A file that is broken now may define it: no problem, then, of this one. */
function followWarnings({ on }: PipelineDefinition, { pipelines }: Surroundings): readonly Said[] {
  const unknown = (on.pipelines ?? []).filter(({ name }) => !pipelines.has(name));
  return unknown.map(({ name }) => ({
    message: `it follows "${name}", which no file here defines, so nothing starts it`,
    help: nameHelp(pipelines),
  }));
}

function nameHelp(names: ReadonlyMap<string, unknown>): string {
  return `Correct the name; the files here define ${[...names.keys()].join(', ')}.`;
}

/** What starts a run by itself gives no parameters. */
function parameterWarnings({ on, parameters }: PipelineDefinition): readonly Said[] {
  const lacking = Object.keys(parameters).filter((name) => parameters[name]?.default === null);
  const starts = [
    ...(on.schedule === null ? [] : ['schedule']),
    ...(on.push === null ? [] : ['push']),
    ...(on.pullRequest === null ? [] : ['pullRequest']),
    ...((on.pipelines ?? []).length === 0 ? [] : ['pipeline']),
    ...(on.data === undefined ? [] : ['data']),
  ];
  if (lacking.length === 0 || starts.length === 0) return [];
  const named = lacking.map((name) => `"${name}"`).join(', ');
  const [which, have] = lacking.length === 1 ? ['the parameter', 'has'] : ['the parameters', 'have'];
  return [
    {
      message: `nothing but a person can start it: ${which} ${named} ${have} no default, and \`on\` (${starts.join(', ')}) gives none`,
      help: `Give ${lacking.length === 1 ? 'it' : 'each'} a \`default\`, or take \`on\` out.`,
    },
  ];
}

function freshnessWarnings({ freshness }: PipelineDefinition): readonly Said[] {
  if (freshness === null) return [];
  return [
    {
      message: '`freshness` is kept, and nothing watches it yet',
      help: 'Take it out, and give the pipeline a schedule: of a run that fails, or is late for its `deadline`, its channels are told.',
    },
  ];
}

function containerWarning({ work }: StepDefinition, { volumes }: Surroundings): Said | null {
  if (work.kind !== 'container' || work.localCommand !== null || volumes !== null) return null;
  return {
    message: 'is a container without `local: { command: [...] }`, so it fails where there are no containers',
    help: 'Say with `local` what runs in its place, or where pods are (`executor.kubernetes` of contender.yaml).',
  };
}

function imageWarning({ work, cache }: StepDefinition): Said | null {
  if (work.kind !== 'container' || cache === null || typeof work.image !== 'string') return null;
  if (imageDigestOf(work.image) !== null) return null;
  return {
    message: `has a cache, and its image, ${work.image}, is named by a tag, which can move: in a pod it always runs`,
    help: 'Name the image by its digest, NAME@sha256:…, or take the cache out.',
  };
}

/** Where there are settings, a store that they do not declare is a problem. */
function storeWarning(step: StepDefinition, { hasSettings }: Surroundings): Said | null {
  if (hasSettings || step.work.kind !== 'wait' || step.work.for.condition !== 'object') return null;
  return {
    message: 'waits for an object, and no contender.yaml declares its store',
    help: `Declare it in contender.yaml: ${storeForm(step)}.`,
  };
}

/** As far as the beginning of the path is written out. */
function fileWarning({ work }: StepDefinition, { stepsElsewhere }: Surroundings): Said | null {
  if (!stepsElsewhere || work.kind !== 'wait' || work.for.condition !== 'file') return null;
  const { path } = work.for;
  const first = typeof path === 'string' ? path : path[0];
  if (typeof first !== 'string' || !first.startsWith('/')) return null;
  return {
    message:
      `waits for a file at ${first}…, which no look sees where steps run in pods or on workers, so it fails`.replace(
        typeof path === 'string' ? '…' : '',
        '',
      ),
    help: 'Wait with waitFor.object or waitFor.until; a path without a slash at its beginning is one in the files of the commit.',
  };
}

/** Each pod has them. */
const ownVolumes: ReadonlySet<string> = new Set(['contender', 'tmp']);

/** Every server's settings are its own: of those here it is known what they give. */
function volumeWarning({ pod }: StepDefinition, { volumes }: Surroundings): Said | null {
  if (pod === undefined) return null;
  const declared = namesIn(pod, ['volumes'], ['patch', 'spec', 'volumes']);
  const beside = ['initContainers', 'sidecars'].flatMap((list) => itemsOf(bindingAt(pod, [list])));
  const lacking = [pod, ...beside]
    .flatMap((container) => namesIn(container, ['volumeMounts'], ['volumeDevices']))
    .find((name) => !ownVolumes.has(name) && !declared.includes(name) && volumes?.has(name) !== true);
  if (lacking === undefined) return null;
  return {
    message:
      volumes === null
        ? `mounts the volume "${lacking}", which its \`pod\` does not declare: a cluster makes its pod only where \`executor.kubernetes.pod\` of contender.yaml does`
        : `mounts the volume "${lacking}", which neither its \`pod\` nor contender.yaml declares, so its pod cannot be made`,
    help: 'Declare it in `volumes` of its `pod`, or of `executor.kubernetes.pod` in contender.yaml, or correct the name.',
  };
}

/** Of the lists at these places, as far as they are written out. */
function namesIn(pod: Binding, ...places: readonly (readonly string[])[]): readonly string[] {
  return places.flatMap((place) => itemsOf(bindingAt(pod, place)).flatMap((item) => textAt(item, 'name') ?? []));
}

function waitWarning({ name }: PipelineDefinition, { work }: StepDefinition, { pipelines }: Surroundings): Said | null {
  if (work.kind !== 'wait') return null;
  const awaited = work.for;
  if (awaited.condition !== 'pipeline' && awaited.condition !== 'step') return null;
  const other = pipelines.get(awaited.pipeline);
  if (other === undefined) {
    const message = `waits for "${awaited.pipeline}", which no file here defines, so it waits until its time is over`;
    return { message, help: nameHelp(pipelines) };
  }
  if (awaited.condition === 'pipeline') {
    if (other.name !== name || !isOwnDate(awaited)) return null;
    const help = "Move the date: `shift: '-1d'` is the run of the day before.";
    return { message: 'waits for the end of the run that it belongs to', help };
  }
  if (other.steps.some((step) => step.name === awaited.step)) return null;
  return {
    message: `waits for "${awaited.step}" of "${other.name}", which has no such step, so it waits until its time is over`,
    help: `Correct the name; it has ${other.steps.map((step) => step.name).join(', ')}.`,
  };
}

/** Of the run itself, and neither moved nor given. */
function isOwnDate({ date, shiftMs }: Extract<WaitWork['for'], { condition: 'pipeline' }>): boolean {
  const [part, ...more] = typeof date === 'string' ? [] : date;
  if (shiftMs !== 0 || typeof part !== 'object' || more.length > 0) return false;
  return 'context' in part && ['date', 'timestamp'].includes(part.context);
}
