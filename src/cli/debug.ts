/** `contender debug`: a shell in a copy of the place of an attempt, where steps run: here, or in a copy of its pod. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRun } from '../conductor/read.ts';
import { prepareAttempt } from '../conductor/runs/attempt-spec.ts';
import { loadConfig, type Config } from '../config/config.ts';
import type { KubernetesConfig } from '../config/kubernetes.ts';
import type { AttemptKey } from '../engine/event.ts';
import type { Run } from '../engine/run.ts';
import { agentFolder } from '../executor/agent/places.ts';
import { layOut, type Laid } from '../executor/debug/layout.ts';
import { openLocalShell, type ShellEnd } from '../executor/debug/local-shell.ts';
import type { AttemptSpec } from '../executor/executor.ts';
import { loadKubeConfig } from '../executor/kubernetes/kube-config.ts';
import { openPodShell } from '../executor/kubernetes/pod-shell.ts';
import { baseEnvironment, readSecrets } from '../executor/local/environment.ts';
import { AttemptRefusal } from '../executor/local/refusal.ts';
import { parseSha } from '../git/git.ts';
import { layOutCommit } from '../git/source-trees.ts';
import { openToLook, podSettings } from '../main.ts';
import { createDirectoryStores } from '../outputs/directory.ts';
import { ProblemError } from '../std/problem.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { statusOfSignal } from './interruption.ts';
import { findRun, stepOf, withReading } from './reading.ts';
import { harmless, paint } from './terminal.ts';
import { messageOfError } from '../std/error-message.ts';

export interface DebugOptions {
  readonly run: string;
  readonly step: string;
  /** Of a mapped step; null: the first that failed, else the first. */
  readonly index: number | null;
  /** Null: the last. */
  readonly attempt: number | null;
  /** How long a pod may stay. */
  readonly forMs: number;
  /** On this machine, wherever steps run. */
  readonly here: boolean;
  /** Empty: a shell. */
  readonly command: readonly string[];
}

const clock = { now: Date.now };
const startMs = 5 * 60_000;

export async function debug(directory: string, options: DebugOptions): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  if (options.command.length === 0 && !(process.stdin.isTTY && process.stdout.isTTY)) throw noTerminal();
  const found = await withReading(directory, async ({ journal }) => {
    const { id } = await findRun(journal, options.run);
    const run = await readRun(journal, id);
    if (run === null) throw new Error(`run ${id} cannot be read`);
    return prepared(config, run, options);
  });
  const folder = await mkdtemp(join(tmpdir(), 'contender-debug-'));
  try {
    const { kubernetes } = config.executor;
    return kubernetes === null || options.here
      ? await debugHere(config, found, join(folder, 'place'), options)
      : await debugInPod(config, kubernetes, found, join(folder, 'place'), options);
  } catch (error) {
    throw error instanceof AttemptRefusal ? notLaidOut(options.step, error.message) : error;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface Found {
  readonly spec: AttemptSpec;
  readonly secrets: ReadonlyMap<string, string>;
  readonly extract: (folder: string) => Promise<void>;
}

async function prepared(config: Config, run: Run, options: DebugOptions): Promise<Found> {
  const { repository, sha } = run.opened;
  const project = openToLook(config, repository, clock);
  if (project === null) throw notLaidOut(options.step, `contender.yaml has no repository "${repository}"`);
  const key = keyOf(run, options);
  const spec = await prepareAttempt(run, key, project.registry);
  if (!spec.ok) throw notLaidOut(options.step, spec.error.message);
  return {
    spec: spec.value,
    secrets: readSecrets(spec.value.secrets, config.stepSecret),
    async extract(folder) {
      const commit = parseSha(sha);
      const laidOut = commit.ok
        ? layOutCommit(project.git, commit.value, folder)
        : Promise.reject(new Error(commit.error.message));
      await laidOut.catch((error: Error) => {
        throw new AttemptRefusal('start', `the files of ${sha}: ${error.message}`);
      });
    },
  };
}

function keyOf(run: Run, { step: name, index, attempt }: DebugOptions): AttemptKey {
  const step = stepOf(run, name);
  const { kind } = step.definition.work;
  if (kind === 'wait' || kind === 'approval')
    throw notLaidOut(name, `it is ${kind === 'wait' ? 'a sensor' : 'an approval'}, of which nothing runs`);
  const begun = (step.instances ?? []).filter(({ attempts }) => attempts.length > 0);
  if (begun.length === 0)
    throw attemptUnknown(`step "${name}" never began: ${step.state}`, '`contender runs` lists other runs.');
  const chosen =
    index === null
      ? (begun.find(({ state }) => state === 'failed') ?? begun[0])
      : begun.find((instance) => instance.index === index);
  if (chosen === undefined) {
    const numbers = begun.map((instance) => instance.index);
    const help = `Those from ${Math.min(...numbers)} to ${Math.max(...numbers)} may have.`;
    throw attemptUnknown(`the instance ${index} of step "${name}" never began`, help);
  }
  const count = chosen.attempts.length;
  if (attempt !== null && attempt > count) {
    const attempts = `${count} ${count === 1 ? 'attempt' : 'attempts'}`;
    throw attemptUnknown(`step "${name}" has ${attempts}`, 'Leave --attempt out for the last.');
  }
  return { step: name, index: chosen.index, attempt: attempt ?? count };
}

function attemptUnknown(message: string, help: string): ProblemError {
  return new ProblemError({ code: 'attempt-unknown', message, where: null, help });
}

async function debugHere(config: Config, found: Found, folder: string, { command }: DebugOptions): Promise<ExitStatus> {
  const { secrets } = found;
  const { environment, about } = await layOut({
    ...layoutOf(config, found),
    folder,
    base: folder,
    hasContainers: false,
  });
  say(`${about}\nIts files are in ${folder}${command.length > 0 ? '.' : ', until you leave the shell.'}`);
  const { TERM, SHELL } = process.env;
  const end = await openLocalShell({
    folder,
    environment: {
      ...baseEnvironment(process.env),
      ...(TERM === undefined ? {} : { TERM }),
      ...environment,
      ...Object.fromEntries(secrets),
    },
    command,
    shell: SHELL ?? 'sh',
  });
  return statusOf(end);
}

function layoutOf(
  config: Config,
  { spec, extract }: Found,
): Omit<Parameters<typeof layOut>[0], 'folder' | 'base' | 'hasContainers'> {
  const { artifacts } = createDirectoryStores({ directory: config.sharedDirectory, clock });
  return { spec, extract, artifacts, nodeModules: config.executor.nodeModules };
}

async function debugInPod(
  config: Config,
  kubernetes: KubernetesConfig,
  found: Found,
  folder: string,
  { command, forMs }: DebugOptions,
): Promise<ExitStatus> {
  const layout = layoutOf(config, found);
  const ending = new AbortController();
  let signal: NodeJS.Signals | null = null;
  const end = (name: NodeJS.Signals): void => {
    signal ??= name;
    ending.abort(new Error('it was interrupted'));
  };
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', end);
  const isShell = command.length === 0;
  try {
    const code = await openPodShell({
      ...layout,
      secrets: found.secrets,
      settings: { ...podSettings(config, kubernetes), instance: 'debug' },
      loadConfig: (client) => loadKubeConfig(client, kubernetes),
      startMs: kubernetes.startMs ?? startMs,
      seconds: Math.ceil(forMs / 1000),
      folder,
      async layOut(into): Promise<Laid> {
        const laid = await layOut({ ...layout, folder: into, base: agentFolder, hasContainers: true });
        say(laid.about);
        return laid;
      },
      command,
      terminal: isShell ? { input: process.stdin, output: process.stdout } : null,
      entered: () => void (isShell && process.stdin.setRawMode(true)),
      signal: ending.signal,
      say,
    });
    return statusOf({ code });
  } catch (error) {
    if (signal !== null) return statusOfSignal(signal);
    if (error instanceof ProblemError || error instanceof AttemptRefusal) throw error;
    throw noShell(messageOfError(error));
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end).off('SIGHUP', end);
    if (isShell) process.stdin.setRawMode(false).pause();
  }
}

function statusOf(end: ShellEnd): ExitStatus {
  if ('failed' in end) throw noShell(end.failed);
  if (end.code === 0) return exitStatus.success;
  say(`It ended with exit code ${end.code}.`);
  return exitStatus.failed;
}

/** What the command prints is alone on standard output. */
function say(text: string): void {
  process.stderr.write(`${paint('gray', harmless(text), process.stderr)}\n`);
}

function noTerminal(): ProblemError {
  return new ProblemError({
    code: 'usage',
    message: 'a shell needs a terminal',
    where: null,
    help: 'Give a command in its place: contender debug RUN STEP -- ls -l',
  });
}

function notLaidOut(step: string, why: string): ProblemError {
  return new ProblemError({
    code: 'debug-impossible',
    message: `the place of "${step}" cannot be laid out again: ${why}`,
    where: null,
    help: '`contender logs` shows what it wrote, and its page what it was given.',
  });
}

function noShell(why: string): ProblemError {
  return new ProblemError({
    code: 'debug-impossible',
    message: `there is no shell: ${why}`,
    where: null,
    help: 'Where the image has no shell, `kubectl debug` brings one. In a cluster you need to create, get and delete pods, and create and get pods/exec.',
  });
}
