/**
 * Evaluates bundles one after the other, each in two processes at once: the second has a little less memory and stack,
 * and a definition that can tell the difference depends on the machine and is no function of the commit. The processes
 * are ended, and made anew, when a bundle does not behave. They are ended too when there is nothing to do for a while,
 * since they hold as much memory as the rest of the server; whoever sees work coming wakes them.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { definitionLimits } from '../pipeline/definition.ts';
import { unreachable } from '../std/unreachable.ts';
import { compileLimits } from './compile.ts';

/** What a process is told first. */
export interface SandboxSetup {
  readonly guest: string;
  /** Of the engine, buffers not counted. */
  readonly memoryBytes: number;
  readonly stackBytes: number;
  /** By how much the engine's memory as a whole may grow, buffers included. */
  readonly growthBytesMax: number;
  readonly resultBytesMax: number;
  /** Of the processor. */
  readonly evaluationMs: number;
}

/** When a bundle interrupts itself, and when it is ended from outside. */
export interface EvaluationTimes {
  readonly evaluationMs: number;
  readonly evaluationKillMs: number;
}

export type SandboxRequest =
  | { readonly type: 'setup'; readonly setup: SandboxSetup }
  | { readonly type: 'evaluate'; readonly code: string };

export type SandboxMessage = { readonly type: 'ready' } | { readonly type: 'answer'; readonly evaluation: Evaluation };

export type Evaluation =
  | { readonly kind: 'json'; readonly text: string }
  /** `text` is JSON of what was thrown; null where even that could not be said. `late`: the time was over. */
  | { readonly kind: 'threw'; readonly text: string | null; readonly late: boolean }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'differs' }
  /** The other files of the commit took all of the time. */
  | { readonly kind: 'not-reached' }
  /** Ended from outside. */
  | { readonly kind: 'killed' }
  /** The thread ended by itself: the engine ran out of memory or stack. */
  | { readonly kind: 'crashed'; readonly message: string };

const notReached: Evaluation = { kind: 'not-reached' };
const mebibyte = 1024 * 1024;

interface Pair {
  readonly first: SandboxProcess;
  readonly second: SandboxProcess;
}

export class Sandbox {
  readonly #guest: string;
  readonly #times: EvaluationTimes;
  readonly #idleMs: number;
  #pair: Pair | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #isEvaluating = false;
  #closed = false;

  constructor(guest: string, times: EvaluationTimes, idleMs: number = compileLimits.sandboxIdleMs) {
    this.#guest = guest;
    this.#times = times;
    this.#idleMs = idleMs;
  }

  /** Starts the processes, so that the next bundle finds them ready. */
  wake(): void {
    if (this.#closed) return;
    this.#pair ??= this.#start();
    this.#restWhenIdle();
  }

  /** Waits for its turn, which has to come before `endsAt` (of `performance.now()`); never rejects. */
  async evaluate(code: string, endsAt: number): Promise<Evaluation> {
    const turn = this.#last.then(async () => (performance.now() > endsAt ? notReached : await this.#evaluateNow(code)));
    this.#last = turn;
    return await turn;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  /** Whether processes are there, ready or about to be. */
  get isAwake(): boolean {
    return this.#pair !== null;
  }

  async #evaluateNow(code: string): Promise<Evaluation> {
    if (this.#closed) return { kind: 'crashed', message: 'the compiler is closed' };
    clearTimeout(this.#idle);
    this.#isEvaluating = true;
    const { first, second } = (this.#pair ??= this.#start());
    const killMs = this.#times.evaluationKillMs;
    const [one, other] = await Promise.all([first.evaluate(code, killMs), second.evaluate(code, killMs)]);
    if ([one, other].some(({ kind }) => kind === 'killed' || kind === 'crashed')) {
      await this.#end();
      if (!this.#closed) this.#pair = this.#start();
    }
    this.#isEvaluating = false;
    this.#restWhenIdle();
    if (one.kind !== 'json' || other.kind !== 'json') return one.kind === 'json' ? other : one;
    return one.text === other.text ? one : { kind: 'differs' };
  }

  #start(): Pair {
    const { memoryBytes, stackBytes } = compileLimits;
    const shared = {
      guest: this.#guest,
      resultBytesMax: definitionLimits.jsonBytesMax,
      evaluationMs: this.#times.evaluationMs,
    };
    return {
      first: new SandboxProcess({ ...shared, memoryBytes, stackBytes, growthBytesMax: memoryBytes + 16 * mebibyte }),
      second: new SandboxProcess({
        ...shared,
        memoryBytes: memoryBytes - 4 * mebibyte,
        stackBytes: stackBytes - 16 * 1024,
        growthBytesMax: memoryBytes + 8 * mebibyte,
      }),
    };
  }

  #restWhenIdle(): void {
    clearTimeout(this.#idle);
    if (!this.#closed && !this.#isEvaluating) this.#idle = setTimeout(() => void this.#end(), this.#idleMs).unref();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const pair = this.#pair;
    this.#pair = null;
    await Promise.all([pair?.first.end(), pair?.second.end()]);
  }
}

const program = fileURLToPath(new URL(`./sandbox-process${extname(import.meta.url)}`, import.meta.url));

/** What the program is made of: all that its process may read. */
const readable = [
  dirname(realpathSync(program)),
  ...['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync', '@jitl/quickjs-ffi-types'].map(packageFolder),
];

const flags = [
  '--permission',
  ...readable.map((path) => `--allow-fs-read=${path}`),
  '--max-old-space-size=128',
  // The engine's own stack limit has to be met first. In KiB, of the 8 MiB that a process has.
  '--stack-size=4000',
];

function packageFolder(name: string): string {
  const entry = realpathSync(fileURLToPath(import.meta.resolve(name)));
  return entry.slice(0, entry.lastIndexOf(`/node_modules/${name}/`) + `/node_modules/${name}/`.length);
}

/** One process, from its start to its end. */
class SandboxProcess {
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #answer: ((evaluation: Evaluation) => void) | null = null;
  #crash: string | null = null;

  constructor(setup: SandboxSetup) {
    this.#child = fork(program, [], {
      cwd: '/',
      env: {},
      execArgv: [...flags],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // It keeps nobody alive: it ends when its channel closes, with us.
    this.#child.unref();
    this.#child.channel?.unref();
    this.#child.on('message', (message: SandboxMessage) => this.#take(message));
    this.#child.on('error', (error) => {
      this.#gone(error.message);
      // One that could not be started has no end of its own.
      if (this.#child.pid === undefined) this.#ended.resolve();
    });
    this.#child.on('exit', (code, signal) => {
      this.#gone(signal === null ? `exit code ${code}` : `ended by ${signal}`);
      this.#ended.resolve();
    });
    this.#send({ type: 'setup', setup });
  }

  async evaluate(code: string, killMs: number): Promise<Evaluation> {
    const starting = setTimeout(() => this.#gone('it did not start'), compileLimits.sandboxStartMs);
    await this.#ready.promise;
    clearTimeout(starting);
    if (this.#crash !== null) return { kind: 'crashed', message: this.#crash };
    return await new Promise((resolve) => {
      // Both timers keep us alive where nothing else does.
      const timer = setTimeout(() => this.#settle({ kind: 'killed' }), killMs);
      this.#answer = (evaluation) => {
        clearTimeout(timer);
        resolve(evaluation);
      };
      this.#send({ type: 'evaluate', code });
    });
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    // Who waits for the end is kept alive until it has come.
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.ref();
    await this.#ended.promise;
  }

  #send(request: SandboxRequest): void {
    // What cannot be sent any more is answered by the end of the process.
    this.#child.send(request, () => undefined);
  }

  #take(message: SandboxMessage): void {
    switch (message.type) {
      case 'ready':
        return this.#ready.resolve();
      case 'answer':
        return this.#settle(message.evaluation);
      default:
        return unreachable(message);
    }
  }

  #gone(reason: string): void {
    this.#crash ??= reason;
    this.#ready.resolve();
    this.#settle({ kind: 'crashed', message: this.#crash });
  }

  #settle(evaluation: Evaluation): void {
    const answer = this.#answer;
    this.#answer = null;
    answer?.(evaluation);
  }
}
