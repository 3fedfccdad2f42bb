/**
 * One warm process of the runner, which serves one attempt at a time. What it prints between two end marks belongs to
 * the attempt in between. It ends itself when its channel closes, and with it all that it started.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Artifact } from '../../pipeline/definition.ts';
import type { RunnerReport, RunnerRequest, RunnerTask } from '../executor.ts';
import type { FolderStock } from './folders.ts';
import { createMarkSplitter } from './mark-splitter.ts';
import { signalOne, startedAtOf } from './processes.ts';
import type { WarmProcess } from './warm-pool.ts';
import { messageOfError } from '../../std/error-message.ts';

export type FinishedReport = Extract<RunnerReport, { type: 'finished' }>;

export interface RunnerProcess extends WarmProcess {
  readonly pid: number;
  /** As `ProcessInfo` says it. */
  readonly startedAt: string;
  /** An empty directory for the next attempt; TMPDIR of all that it serves. */
  readonly scratch: string;
  /** Gives up the directory, which the caller removes, for another one. */
  leaveScratch(): string;
  /** Resolves with the runner's word, or with how the process ended before it gave one. */
  run(task: RunnerTask, listener: RunnerListener): Promise<FinishedReport | RunnerDeath>;
  abort(reason: string): void;
}

export interface RunnerListener {
  output(stream: 'out' | 'err', chunk: Uint8Array): void;
  keep(path: string, name: string): Promise<Artifact>;
}

export interface RunnerDeath {
  readonly type: 'died';
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * To start one and to load a step's code takes as much time of the processor as some hundred short steps. So one that has grown
 * little, whatever earlier attempts left in it, serves more of them.
 */
export const runnerLimits = { attemptsMax: 10_000, attemptsOfGrownMax: 1000, grownBytes: 256 * 1024 ** 2 } as const;

/** How long the end marks may come after the result; they are written before it. */
const markPatienceMs = 1000;

export function startRunnerProcess(
  environment: { readonly [name: string]: string },
  directory: string,
  folders: FolderStock,
  memoryBytes: number | null,
): RunnerProcess {
  const program = fileURLToPath(new URL(`../../../runner/main${extname(import.meta.url)}`, import.meta.url));
  const heap = memoryBytes === null ? [] : [`--max-old-space-size=${heapMegabytesOf(memoryBytes)}`];
  const options = ['--disable-warning=ExperimentalWarning', '--enable-source-maps', ...heap];
  const checkpoint = folders.path();
  const child = spawn(process.execPath, [...options, program, checkpoint], {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let current: Serving | null = null;
  let [served, alive, scratch] = [0, child.pid !== undefined, folders.take()];
  let startedAt: string | null = null;

  const send = (request: RunnerRequest): void => {
    if (child.connected) child.send(request, () => {});
  };
  child.on('message', (message) => {
    if (current === null || !isReport(message)) return;
    if (message.type === 'finished') current.finish(message);
    if (message.type === 'keep') void answer(message, current.listener, send);
  });
  child.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    const died = (code: number | null, signal: NodeJS.Signals | null): void => {
      // What an attempt is still to be read from there goes with that attempt.
      if (alive && current === null) void folders.remove(scratch);
      if (alive) void folders.remove(checkpoint);
      alive = false;
      current?.die({ type: 'died', code, signal });
      resolve();
    };
    child.once('close', died);
    // Something that it left behind may hold its streams open: the exit is enough in the end.
    child.once('exit', (code, signal) => setTimeout(() => died(code, signal), markPatienceMs).unref());
    if (child.pid === undefined) setImmediate(() => died(null, null));
  });
  for (const stream of ['out', 'err'] as const) {
    const source = stream === 'out' ? child.stdout : child.stderr;
    source?.on('data', (chunk: Uint8Array) => current?.take(stream, chunk));
  }
  hold(child, false);

  return {
    pid: child.pid ?? 0,
    get startedAt() {
      return (startedAt ??= startedAtOf(child.pid ?? 0));
    },
    get scratch() {
      return scratch;
    },
    leaveScratch() {
      const left = scratch;
      if (alive) scratch = folders.take();
      return left;
    },
    get served() {
      return served;
    },
    get alive() {
      return alive;
    },
    ended,
    async run(task, listener) {
      if (!alive) return { type: 'died', code: child.exitCode, signal: child.signalCode };
      served += 1;
      const serving = createServing(task.endMark, listener);
      current = serving;
      hold(child, true);
      send({ type: 'run', task });
      const result = await serving.result;
      current = null;
      hold(child, false);
      return result;
    },
    abort: (reason) => send({ type: 'abort', reason }),
    kill() {
      if (child.pid === undefined || !alive) return;
      hold(child, true);
      if (!signalOne(-child.pid, 'SIGKILL')) child.kill('SIGKILL');
    },
  };
}

/**
 * For the heap: all but what Node takes itself, so that garbage is collected before the process is seen over the limit.
 * Without it the heap has the size that Node thinks fit, and more memory would be of no use.
 */
function heapMegabytesOf(memoryBytes: number): number {
  const ofNode = 128 * 1024 ** 2;
  return Math.floor(Math.max(memoryBytes / 2, memoryBytes - ofNode) / 1024 ** 2);
}

interface Serving {
  readonly listener: RunnerListener;
  readonly result: Promise<FinishedReport | RunnerDeath>;
  take(stream: 'out' | 'err', chunk: Uint8Array): void;
  finish(report: FinishedReport): void;
  die(death: RunnerDeath): void;
}

/** One attempt in the process: over when the result is there and both streams have shown their end mark. */
function createServing(endMark: string, listener: RunnerListener): Serving {
  const splitters = { out: createMarkSplitter(endMark), err: createMarkSplitter(endMark) };
  let report: FinishedReport | null = null;
  let patience: NodeJS.Timeout | null = null;
  let resolve: (result: FinishedReport | RunnerDeath) => void = () => {};
  const result = new Promise<FinishedReport | RunnerDeath>((settle) => (resolve = settle));

  const end = (word: FinishedReport | RunnerDeath): void => {
    if (patience !== null) clearTimeout(patience);
    for (const stream of ['out', 'err'] as const) {
      const rest = splitters[stream].rest();
      if (rest.length > 0) listener.output(stream, rest);
    }
    resolve(word);
  };
  const endWhenMarked = (): void => {
    if (report !== null && splitters.out.ended && splitters.err.ended) end(report);
  };
  return {
    listener,
    result,
    take(stream, chunk) {
      const passed = splitters[stream].push(chunk);
      if (passed.length > 0) listener.output(stream, passed);
      endWhenMarked();
    },
    finish(word) {
      report ??= word;
      // The step may have closed its own streams: then no mark comes, and the process is of no further use.
      patience ??= setTimeout(() => end({ ...word, reusable: false }), markPatienceMs);
      endWhenMarked();
    },
    die: (death) => end(report === null ? death : { ...report, reusable: false }),
  };
}

async function answer(
  { request, path, name }: Extract<RunnerReport, { type: 'keep' }>,
  listener: RunnerListener,
  send: (request: RunnerRequest) => void,
): Promise<void> {
  try {
    send({ type: 'kept', request, artifact: await listener.keep(path, name) });
  } catch (error) {
    send({ type: 'not-kept', request, message: messageOfError(error) });
  }
}

/** A process at work keeps the server alive; an idle one does not. */
function hold(child: ChildProcess, working: boolean): void {
  for (const handle of [child, child.channel, child.stdout, child.stderr]) {
    if (typeof handle !== 'object' || handle === null || !('ref' in handle) || !('unref' in handle)) continue;
    if (working && typeof handle.ref === 'function') handle.ref();
    if (!working && typeof handle.unref === 'function') handle.unref();
  }
}

/** The user's code runs in the process that sends this, so nothing of it is taken on trust. */
function isReport(message: unknown): message is RunnerReport {
  if (typeof message !== 'object' || message === null || !('type' in message)) return false;
  switch (message.type) {
    case 'ready':
      return true;
    case 'keep':
      return (
        'request' in message &&
        typeof message.request === 'number' &&
        'path' in message &&
        typeof message.path === 'string' &&
        'name' in message &&
        typeof message.name === 'string'
      );
    case 'finished':
      return (
        'result' in message &&
        isResult(message.result) &&
        'usage' in message &&
        typeof message.usage === 'object' &&
        'reusable' in message &&
        'scratchEmpty' in message &&
        'checkpointGone' in message
      );
    default:
      return false;
  }
}

function isResult(result: unknown): boolean {
  if (typeof result !== 'object' || result === null || !('kind' in result)) return false;
  switch (result.kind) {
    case 'succeeded':
      return (
        'control' in result &&
        'output' in result &&
        typeof result.output === 'object' &&
        result.output !== null &&
        ('inline' in result.output ||
          ('file' in result.output && typeof result.output.file === 'string' && 'lengths' in result.output))
      );
    case 'failed':
      return (
        'cause' in result &&
        typeof result.cause === 'string' &&
        'message' in result &&
        typeof result.message === 'string'
      );
    case 'skipped':
    case 'not-yet':
      return 'reason' in result && typeof result.reason === 'string';
    default:
      return false;
  }
}
