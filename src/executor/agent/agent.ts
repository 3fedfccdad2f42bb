/**
 * Carries out one attempt, or one look, where the server is not: in a pod, on a worker. It is the executor of this machine
 * with one slot, whose artifacts are the server's, whose log goes to the server, and whose end is told when all of that is
 * there and nothing of the work is left. Nothing begins before the server has said that it is to run, so what was started
 * twice runs once.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../std/clock.ts';
import type { LookOutcome } from '../../engine/event.ts';
import { unreachable } from '../../std/unreachable.ts';
import { createDirectoryLogStore } from '../../outputs/directory.ts';
import type { LogStore } from '../../outputs/outputs.ts';
import type { AttemptReport, Executor, LookSpec } from '../executor.ts';
import { checkpointIn, keepsCheckpoint } from '../local/checkpoints.ts';
import { createLocalExecutor } from '../local/local.ts';
import type { Machine } from '../local/machine.ts';
import { bringCheckpoint, sendCheckpoint } from './checkpoint.ts';
import {
  agentLimits,
  type AgentResult,
  type AgentTask,
  type Alive,
  type Begun,
  type Ended,
  type Note,
} from './contract.ts';
import { createEnding, type Ending } from './ending.ts';
import { help } from './helper.ts';
import { AttemptRevoked, type Link } from './link.ts';
import { createLogShipper } from './log-shipper.ts';
import { placesIn } from './places.ts';
import { createRemoteArtifacts } from './remote-artifacts.ts';
import type { Source, Sources } from './sources.ts';
import { messageOfError } from '../../std/error-message.ts';

export interface AgentOptions {
  readonly link: Link;
  /** How people know this machine; null: the server knows it. */
  readonly place: string | null;
  /** Of this attempt alone. */
  readonly directory: string;
  /** In memory: for the secrets of a container beside it. Null: there is none, it carries out all by itself. */
  readonly secretsFolder: string | null;
  /** How long a helper asks for the end of the log of its container. */
  readonly collectMs?: number | undefined;
  readonly nodeModules: string | null;
  /** Where it carries the step out: a machine of its own in a new folder, or that of others. */
  readonly openMachine: (directory: string) => { readonly machine: Machine; readonly close: () => Promise<void> };
  /** Of commits, shared with others; null: the files are its own. */
  readonly sources: Sources | null;
  readonly clock: Clock;
  /** Lays the files of a tar out in a new folder. */
  readonly unpack: (tar: ReadableStream<Uint8Array>, folder: string) => Promise<void>;
}

export interface Agent {
  /** Once. Rejects where the attempt is not, or no longer, to run, or its end could not be told. */
  run(): Promise<AgentResult>;
  /** Ends the step, which has its own grace to end itself; the container beside it, if there is one, has ended. */
  stop(): void;
}

export function createAgent(options: AgentOptions): Agent {
  const { link, place, directory } = options;
  const ending = createEnding();
  return {
    async run() {
      const begun: Begun = await link.json('POST', 'begin', { agent: await nameIn(directory), place });
      link.use(begun.token);
      const { secretsFolder } = options;
      const told = new AbortController();
      void keepAlive(link, ending, told.signal);
      try {
        const result =
          secretsFolder !== null && hasContainer(begun)
            ? await runAsHelper(begun, { ...options, secretsFolder }, ending.signal)
            : await runAlone(begun, options, ending);
        await link.json('POST', 'result', result);
        return result;
      } catch (error) {
        if (!(error instanceof AttemptRevoked))
          await link.json('POST', 'result', failedResult(begun.task, error)).catch(() => undefined);
        throw error;
      } finally {
        told.abort();
        link.close();
      }
    },
    stop: () => ending.stop(null),
  };
}

function hasContainer({ task }: Begun): boolean {
  return task.type === 'attempt' && task.spec.work.kind === 'container';
}

/** Kept, so that an agent that the cluster starts again is the same one. */
async function nameIn(directory: string): Promise<string> {
  const path = placesIn(directory).agent;
  const kept = await readFile(path, 'utf8').catch(() => null);
  if (kept !== null) return kept;
  const name = randomBytes(32).toString('base64url');
  await mkdir(directory, { recursive: true });
  await writeFile(path, name, { mode: 0o600 });
  return name;
}

async function runAlone(begun: Begun, options: AgentOptions, ending: Ending): Promise<AgentResult> {
  const { link, directory, clock } = options;
  const logs = createDirectoryLogStore({ directory: join(directory, 'attempt', 'logs'), clock });
  const { attemptId } = begun.task.spec;
  const shipper = createLogShipper(logs, attemptId, link);
  const result = await carryOut(begun, logs, options, ending);
  // Looks share a log, which is not closed after each.
  await logs.writer(attemptId).close();
  await shipper.finish();
  return result;
}

async function runAsHelper(
  begun: Begun,
  options: AgentOptions & { readonly secretsFolder: string },
  stop: AbortSignal,
): Promise<AgentResult> {
  const { link, directory, secretsFolder, unpack, collectMs, clock } = options;
  const say = (text: string): Promise<void> => sendNote(link, { at: clock.now(), text });
  const layOutIn = (folder: string): Promise<string> => layOut(link, folder, unpack);
  const ended = Promise.race([untilTold(stop), untilContainerEnded(link, stop)]);
  // Where the attempt is over before anything is waited for.
  ended.catch(() => undefined);
  const places = { folder: directory, secretsFolder };
  return help(begun, { link, ...places, layOut: layOutIn, unpack, ended, collectMs, say });
}

/** Its log is the container's, which the server reads. */
async function sendNote(link: Link, note: Note): Promise<void> {
  await link.ask(
    'POST',
    'note',
    async (answer) => void (await answer.text()),
    () => ({ type: 'application/json', content: JSON.stringify(note) }),
  );
}

/** The cluster ends a helper when all others of the pod have ended, however long those take. */
function untilTold(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve());
  });
}

/** The server sees it sooner. Rejects where the attempt is over. */
async function untilContainerEnded(link: Link, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const { ended }: Ended = await link.json('POST', 'ended', {});
    if (ended) return;
  }
}

async function carryOut(
  { task, secrets }: Begun,
  logs: LogStore,
  options: AgentOptions,
  ending: Ending,
): Promise<AgentResult> {
  const { link, directory, nodeModules, clock } = options;
  const ended = Promise.withResolvers<AgentResult>();
  const report = (word: AttemptReport): void => {
    if (word.type === 'finished') ended.resolve({ type: 'attempt', outcome: word.outcome, usage: word.usage });
  };
  const source = sourceOf(task.spec, options);
  const work = join(directory, 'attempt', 'work');
  const checkpoint = {
    folder: checkpointIn(work, task.spec.context),
    ports: {
      link,
      unpack: options.unpack,
      say: async (text: string) => logs.writer(task.spec.attemptId).write('contender', `${text}\n`),
    },
  };
  if (hasCheckpoint(task) && task.spec.context.attempt > 1) await bringCheckpoint(checkpoint.folder, checkpoint.ports);
  const { machine, close } = options.openMachine(work);
  const executor = createLocalExecutor({
    ports: {
      report,
      sourceTree: source.get,
      secret: (name) => secrets[name] ?? null,
    },
    artifacts: createRemoteArtifacts(link),
    logs,
    directory: work,
    slots: 1,
    nodeModules,
    machine,
    clock,
  });
  try {
    const result = await carryOutWith(executor, task, ending, ended.promise);
    if (hasCheckpoint(task) && result.outcome.kind === 'failed')
      await sendCheckpoint(checkpoint.folder, checkpoint.ports);
    return result;
  } finally {
    await executor.close(0);
    await close();
    source.release();
  }
}

/** Laid out when it is first asked for. */
function sourceOf(
  { repository, sha }: AgentTask['spec'],
  { link, directory, unpack, sources }: AgentOptions,
): { readonly get: () => Promise<string>; readonly release: () => void } {
  const own = (folder: string): Promise<string> => layOut(link, folder, unpack);
  let shared: Promise<Source> | null = null;
  let alone: Promise<string> | null = null;
  return {
    async get() {
      if (sources === null) return (alone ??= own(placesIn(directory).source));
      return (await (shared ??= sources.use(repository, sha, own))).folder;
    },
    release: () =>
      void shared?.then(
        (source) => source.release(),
        () => undefined,
      ),
  };
}

function hasCheckpoint(task: AgentTask): boolean {
  return task.type === 'attempt' && keepsCheckpoint(task.spec.work);
}

async function carryOutWith(
  executor: Executor,
  task: AgentTask,
  ending: Ending,
  ended: Promise<AgentResult>,
): Promise<AgentResult> {
  switch (task.type) {
    case 'attempt': {
      const { attemptId, graceMs } = task.spec;
      await executor.start(task.spec);
      ending.attach((given) => void executor.stop(attemptId, 'cancelled', given ?? graceMs));
      return ended;
    }
    case 'look':
      return { type: 'look', outcome: await lookUntilEnded(executor, task.spec, ending.signal) };
    default:
      return unreachable(task);
  }
}

async function lookUntilEnded(executor: Executor, spec: LookSpec, signal: AbortSignal): Promise<LookOutcome> {
  try {
    return await executor.look(spec, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    return { kind: 'failed', cause: 'cancelled', message: 'the look was ended' };
  }
}

/** That the agent itself could not go on: sooner than by its silence. */
function failedResult({ type }: AgentTask, error: unknown): AgentResult {
  const message = `its agent failed: ${messageOfError(error)}`;
  return type === 'look'
    ? { type, outcome: { kind: 'failed', cause: 'lost', message } }
    : { type, outcome: { kind: 'failed', cause: 'lost', message, exitCode: null }, usage: null };
}

async function layOut(link: Link, folder: string, unpack: AgentOptions['unpack']): Promise<string> {
  const laidOut = await link.ask('GET', 'source', async ({ body }) => {
    if (body === null) return false;
    // What an answer that was broken off, or an agent before this one, has left.
    await rm(folder, { recursive: true, force: true });
    await unpack(body, folder);
    return true;
  });
  if (laidOut !== true) throw new Error('the server has no files of the commit');
  return folder;
}

/** Says that it is there until its end is told, and hears that it is to end, or that its attempt is over. */
async function keepAlive(link: Link, ending: Ending, told: AbortSignal): Promise<void> {
  for (let known: number | null = null; !told.aborted;) {
    let pauseMs: number = agentLimits.aliveMs;
    try {
      const { stop }: Alive = await link.json('POST', 'alive', { stop: known });
      if (stop !== null && stop !== known && !told.aborted) ending.stop(stop);
      known = stop;
    } catch (error) {
      if (error instanceof AttemptRevoked) return told.aborted ? undefined : ending.stop(null);
      pauseMs = agentLimits.waitMs;
    }
    await pause(pauseMs, undefined, { ref: false });
  }
}
