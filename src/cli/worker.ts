/** `contender worker`: a machine of the fleet, until it is told to stop. */
import { mkdirSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { loadFleetSettings } from '../config/config.ts';
import { readRedisUrl } from '../config/fleet.ts';
import { agentPath } from '../executor/agent/contract.ts';
import { startFleetWorker, type FleetWorker } from '../executor/fleet/worker.ts';
import { baseEnvironment } from '../executor/local/environment.ts';
import { lockFolder, type FolderLock } from '../journal/folder-lock.ts';
import { failedFetchReason } from '../std/error-message.ts';
import { ProblemError } from '../std/problem.ts';
import { version } from '../version.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { statusOfSignal } from './interruption.ts';
import { harmless } from './terminal.ts';

export interface WorkerOptions {
  /** Where the server listens for agents; null: what the configuration in the folder says, on this machine. */
  readonly server: string | null;
  readonly queue: string | null;
  readonly prefix: string | null;
  readonly slots: number;
  readonly directory: string | null;
  readonly nodeModules: string | null;
}

const probeMs = 5000;
const leaveMs = 1000;

export async function worker(folder: string, options: WorkerOptions): Promise<ExitStatus> {
  const settings = loadFleetSettings(folder);
  const url = readRedisUrl(process.env);
  const queue = options.queue ?? settings?.queue ?? 'default';
  const prefix = options.prefix ?? settings?.prefix ?? 'contender';
  const serverUrl = serverOf(options.server, settings?.port ?? null);
  const directory = options.directory ?? join(stateHome(process.env), 'contender', `worker-${prefix}-${queue}`);
  const say = (line: string): void => void process.stdout.write(`${harmless(line)}\n`);
  const lock = lockDirectory(directory);
  const stopping = listenForSignals();
  try {
    const running = await startFleetWorker({
      redis: { url, prefix },
      queue,
      slots: options.slots,
      serverUrl,
      place: `worker ${hostname()}`,
      directory,
      nodeModules: options.nodeModules ?? settings?.nodeModules ?? null,
      environment: baseEnvironment(process.env),
      clock: { now: Date.now },
      say,
    });
    say(`Contender ${version} takes steps from the queue "${queue}", ${options.slots} at once, for ${serverUrl}.`);
    await probe(serverUrl, say);
    await stopping.first;
    await stopInOrder(running, stopping, say);
    // A Redis that went just now may leave timers behind, which are no reason to stay.
    setTimeout(() => process.exit(exitStatus.success), leaveMs).unref();
    return exitStatus.success;
  } finally {
    lock.release();
  }
}

interface Signals {
  readonly first: Promise<void>;
  /** Hears each signal after the first. */
  again(hear: (signal: NodeJS.Signals) => void): void;
}

/** From the first moment on. */
function listenForSignals(): Signals {
  const first = Promise.withResolvers<void>();
  let isAsked = false;
  let hear: (signal: NodeJS.Signals) => void = () => undefined;
  const heard = (signal: NodeJS.Signals): void => {
    if (isAsked) return hear(signal);
    isAsked = true;
    first.resolve();
  };
  process.on('SIGINT', heard).on('SIGTERM', heard);
  return { first: first.promise, again: (next) => void (hear = next) };
}

/** What it carries out may go on to its end; told again, it is ended; told once more, nobody is told of that. */
async function stopInOrder(running: FleetWorker, signals: Signals, say: (line: string) => void): Promise<void> {
  let isEnding = false;
  signals.again((signal) => {
    if (isEnding) process.exit(statusOfSignal(signal));
    isEnding = true;
    say('What it carries out is ended, and tried elsewhere; press Ctrl-C again to leave at once.');
    running.end();
  });
  const { busy } = running;
  if (busy > 0) say(`Takes nothing more, and stops when ${busy} at work have ended; press Ctrl-C again to end them.`);
  await running.drain();
  say('Stopped.');
}

function serverOf(given: string | null, port: number | null): string {
  if (given !== null) return given.replace(/\/$/, '');
  if (port !== null) return `http://localhost:${port}`;
  throw new ProblemError({
    code: 'config-invalid',
    message: 'a worker does not know its server: there is no --server, and no `executor.fleet` in contender.yaml here',
    where: null,
    help: 'Give the address under which this machine reaches `executor.fleet.listen`: --server http://HOST:8081',
  });
}

function stateHome(environment: NodeJS.ProcessEnv): string {
  const given = environment['XDG_STATE_HOME'] ?? '';
  return given === '' ? join(homedir(), '.local', 'state') : given;
}

function lockDirectory(directory: string): FolderLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = lockFolder(directory);
  if (lock.ok) return lock.value;
  const help = 'Stop that worker first, or give this one a folder of its own: --state FOLDER.';
  throw new ProblemError({ ...lock.error, help });
}

/** A wrong address is better known now than by the first step. */
async function probe(serverUrl: string, say: (line: string) => void): Promise<void> {
  try {
    const answer = await fetch(`${serverUrl}${agentPath}/alive`, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(probeMs),
    });
    await answer.body?.cancel();
    // It knows the path, and wants a token.
    if (answer.status === 401 || answer.status === 503) return;
    say(
      `${serverUrl} is no server for workers (it answers with ${answer.status}): give the address of executor.fleet.listen.`,
    );
  } catch (error) {
    say(`The server at ${serverUrl} does not answer (${failedFetchReason(error)}): steps wait until it does.`);
  }
}
