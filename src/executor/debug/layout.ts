/**
 * The place of an attempt laid out for somebody who looks into it, as the attempt found it: the files of its commit, its
 * inputs, what it was told, its secrets. It is made in a folder of this machine, and may stand elsewhere in the end (`base`).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { placesIn } from '../agent/places.ts';
import type { ArtifactStore } from '../../outputs/outputs.ts';
import type { AttemptSpec, AttemptWork, RunnerTask } from '../executor.ts';
import { keepsCheckpoint } from '../local/checkpoints.ts';
import { contextEnvironment } from '../local/environment.ts';
import { openInputs, placeFrom, resolveCommand, resolveWork, type Inputs } from '../local/inputs.ts';
import { AttemptRefusal } from '../local/refusal.ts';
import { createStoredValues } from '../local/stored-values.ts';
import { onceScript, quoted, writeScript } from './scripts.ts';

export interface LayoutOptions {
  readonly spec: AttemptSpec;
  /** Where it is made. */
  readonly folder: string;
  /** Where it will stand. */
  readonly base: string;
  /** Whether a `container` is one there; else its local command stands for it. */
  readonly hasContainers: boolean;
  readonly artifacts: ArtifactStore;
  /** Writes the files of the commit into a new folder. */
  readonly extract: (folder: string) => Promise<void>;
  readonly nodeModules: string | null;
}

export interface Laid {
  /** What the step is told and its variables, and no secret. */
  readonly environment: { readonly [name: string]: string };
  /** What there is to say of the step to whoever comes: a sentence. */
  readonly about: string;
}

/** Carries the step out, where it is known how. */
const stepScript = 'step.sh';
const scriptVariable = 'CONTENDER_STEP_SCRIPT';
const howTo = `sh $${scriptVariable}`;
const taskFile = 'task.json';

/** What tells whoever comes where the script of the step is. */
export function scriptIn(base: string): { readonly [name: string]: string } {
  return { [scriptVariable]: join(base, stepScript) };
}

/** Throws a refusal where an input is not there any more, or the step has no command here. */
export async function layOut(options: LayoutOptions): Promise<Laid> {
  const { spec, folder, base, artifacts, extract } = options;
  const here = placesIn(folder);
  const there = placesIn(base);
  await extract(here.source);
  for (const path of [here.scratch, here.checkpoint, here.inputs]) await mkdir(path, { recursive: true });
  const inputs = openInputs(placeFrom(artifacts), createStoredValues(artifacts), there.inputs, (path) =>
    join(folder, relative(base, path)),
  );
  const told = contextEnvironment(spec.attemptId, spec.context, {
    sourceTree: there.source,
    scratch: there.scratch,
    checkpoint: keepsCheckpoint(spec.work) ? there.checkpoint : null,
    outputs: there.outputs,
  });
  const { work } = spec;
  const { environment, about } =
    work.kind === 'command' || work.kind === 'container'
      ? await layCommand(work, options, inputs)
      : await layTask(work, options, inputs);
  return { environment: { ...told, ...environment, ...scriptIn(base) }, about };
}

async function layCommand(work: CommandWork, options: LayoutOptions, inputs: Inputs): Promise<Laid> {
  const { base, folder } = options;
  const { words, environment } = await commandOf(work, options, inputs);
  const line = quoted(words);
  if (work.kind === 'container' && options.hasContainers && work.command.length === 0)
    return { environment, about: `The step runs the entry point of its image${line === '' ? '' : ` with ${line}`}.` };
  // A container begins where its image says.
  const where = work.kind === 'command' ? `cd ${quoted([placesIn(base).source])}\n` : '';
  await writeScript(join(folder, stepScript), `${where}exec ${line}`);
  return { environment, about: `The step runs ${line}\nCarry it out: ${howTo}` };
}

type CommandWork = Extract<AttemptWork, { kind: 'command' | 'container' }>;

async function commandOf(
  work: CommandWork,
  { spec, hasContainers }: LayoutOptions,
  inputs: Inputs,
): Promise<{ readonly words: readonly string[]; readonly environment: Laid['environment'] }> {
  const given = work.kind === 'command' || hasContainers ? work.command : work.localCommand;
  if (given === null) {
    const why = `the container of "${spec.context.step}" has no local command: it runs in a cluster`;
    throw new AttemptRefusal('invalid', why);
  }
  const { command, environment } = await resolveCommand({ ...work, command: given }, inputs);
  const args = work.kind === 'container' && hasContainers ? work.args : [];
  return { words: [...command, ...(await Promise.all(args.map((value) => inputs.text(value))))], environment };
}

/** What the runner carries out: in one process of its own, with its input in a file. */
async function layTask(
  work: Exclude<AttemptWork, CommandWork>,
  { spec, folder, base, nodeModules }: LayoutOptions,
  inputs: Inputs,
): Promise<Laid> {
  const { source, scratch, checkpoint } = placesIn(base);
  const { attemptId, context } = spec;
  const task: RunnerTask = {
    attemptId,
    sourceTree: source,
    nodeModules,
    scratch,
    checkpoint: keepsCheckpoint(work) ? checkpoint : null,
    // Those who start it have it.
    environment: {},
    context,
    ...(await resolveWork(work, inputs)),
    endMark: '',
  };
  await writeFile(join(folder, taskFile), JSON.stringify(task, null, 2));
  await writeScript(join(folder, stepScript), `exec ${quoted([join(base, onceScript), join(base, taskFile)])} "$@"`);
  const what = work.kind === 'gate' || work.kind === 'challenge' ? `a ${work.kind}` : `a function in ${work.file}`;
  const about = `The step is ${what}.\nCarry it out, with options of Node if you like (--inspect-brk): ${howTo}`;
  return { environment: {}, about };
}
