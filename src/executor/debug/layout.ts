/**
 * The place of an attempt laid out for somebody who looks into it, as the attempt found it: the files of its commit, its
 * inputs, what it was told, its secrets. It is made in a folder of this machine, and may stand elsewhere in the end (`base`).
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { agentFolder, placesIn } from '../agent/places.ts';
import type { ArtifactStore } from '../../outputs/outputs.ts';
import type { AttemptSpec, RunnerTask } from '../executor.ts';
import { contextEnvironment } from '../local/environment.ts';
import { openInputs, placeFrom, resolveCommand, resolveWork, type Inputs } from '../local/inputs.ts';
import { AttemptRefusal } from '../local/refusal.ts';
import { createStoredValues } from '../local/stored-values.ts';
import { quoted } from './quoted.ts';

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
  readonly secrets: ReadonlyMap<string, string>;
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

/** What tells whoever comes where that script is. */
export function scriptIn(base: string): { readonly [name: string]: string } {
  return { [scriptVariable]: join(base, stepScript) };
}
/** Starts the runner with a task and options of Node: made where it is to run. */
export const onceScript = 'once';
const taskFile = 'task.json';

/** Throws a refusal where an input is not there any more, or the step has no command here. */
export async function layOut(options: LayoutOptions): Promise<Laid> {
  const { spec, folder, base, artifacts, extract, secrets, nodeModules } = options;
  const { work, context, attemptId } = spec;
  const here = placesIn(folder);
  const there = placesIn(base);
  await extract(here.source);
  for (const path of [here.scratch, here.checkpoint, here.inputs]) await mkdir(path, { recursive: true });
  const place = placeFrom(artifacts);
  const inputs = openInputs(
    (artifact, path) => place(artifact, join(folder, relative(base, path))),
    createStoredValues(artifacts),
    there.inputs,
  );
  const told = contextEnvironment(attemptId, context, {
    sourceTree: there.source,
    scratch: there.scratch,
    checkpoint: there.checkpoint,
    outputs: there.outputs,
  });
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), 0o755);
  };
  if (work.kind === 'command' || work.kind === 'container') {
    const { words, environment, isWhole } = await commandOf(options, inputs);
    const line = quoted(words);
    if (isWhole)
      await write(
        stepScript,
        `#!/bin/sh\n${work.kind === 'command' ? `cd ${quoted([there.source])}\n` : ''}exec ${line}\n`,
      );
    const about = isWhole
      ? `The step runs ${line}\nCarry it out: ${howTo}`
      : `The step runs the entry point of its image${line === '' ? '' : ` with ${line}`}.`;
    return { environment: { ...told, ...environment, ...scriptIn(base) }, about };
  }
  const task: RunnerTask = {
    attemptId,
    sourceTree: there.source,
    nodeModules,
    scratch: there.scratch,
    environment: { ...told, ...Object.fromEntries(secrets) },
    context,
    work: await resolveWork(work, inputs),
    endMark: '',
  };
  await writeFile(join(folder, taskFile), JSON.stringify({ ...task, environment: {} }, null, 2));
  await write(stepScript, `#!/bin/sh\nexec ${quoted([join(base, onceScript), join(base, taskFile)])} "$@"\n`);
  const what = work.kind === 'gate' || work.kind === 'challenge' ? `a ${work.kind}` : `a function in ${work.file}`;
  return {
    environment: { ...told, ...scriptIn(base) },
    about: `The step is ${what}.\nCarry it out, with options of Node if you like (--inspect-brk): ${howTo}`,
  };
}

interface Words {
  readonly words: readonly string[];
  readonly environment: { readonly [name: string]: string };
  /** Not where the image says how it begins. */
  readonly isWhole: boolean;
}

async function commandOf({ spec: { work, context }, hasContainers }: LayoutOptions, inputs: Inputs): Promise<Words> {
  if (work.kind !== 'command' && work.kind !== 'container') throw new Error(`${work.kind} is no command`);
  if (work.kind === 'container' && !hasContainers) {
    if (work.localCommand === null)
      throw new AttemptRefusal(
        'invalid',
        `the container of "${context.step}" has no local command: it runs in a cluster`,
      );
    const { command, environment } = await resolveCommand({ ...work, command: work.localCommand }, inputs);
    return { words: command, environment, isWhole: true };
  }
  const { command, environment } = await resolveCommand(work, inputs);
  const args = work.kind === 'container' ? await Promise.all(work.args.map((value) => inputs.text(value))) : [];
  return { words: [...command, ...args], environment, isWhole: command.length > 0 };
}

/** In a pod. */
export const podBase = agentFolder;
