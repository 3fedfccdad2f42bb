/**
 * Evaluates bundles one after the other, each in two threads at once: the second has a little less memory and stack, and
 * a definition that can tell the difference depends on the machine and is no function of the commit. The threads are
 * ended, and made anew, when a bundle does not behave. They are ended too when there is nothing to do for a while: they
 * hold 50 MB, and the next are ready in about 30 ms, because the engine's machine code belongs to the process.
 */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { definitionLimits } from '../pipeline/definition.ts';
import { compileLimits } from './compile.ts';

/** What a thread is started with. */
export interface SandboxSetup {
  readonly guest: string;
  /** The engine, compiled once in the life of a process. */
  readonly wasmModule: WebAssembly.Module;
  /** Of the engine, buffers not counted. */
  readonly memoryBytes: number;
  readonly stackBytes: number;
  /** By how much the engine's memory as a whole may grow, buffers included. */
  readonly growthBytesMax: number;
  readonly resultBytesMax: number;
  readonly evaluationMs: number;
}

/** When a bundle interrupts itself, and when it is ended from outside. */
export interface EvaluationTimes {
  readonly evaluationMs: number;
  readonly evaluationKillMs: number;
}

export interface EvaluationRequest {
  readonly code: string;
}

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
  readonly first: SandboxWorker;
  readonly second: SandboxWorker;
}

export class Sandbox {
  readonly #guest: string;
  readonly #times: EvaluationTimes;
  readonly #idleMs: number;
  #pair: Promise<Pair> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  /** Starts its threads at once, so that the first bundle finds them ready. */
  constructor(guest: string, times: EvaluationTimes, idleMs: number = compileLimits.sandboxIdleMs) {
    this.#guest = guest;
    this.#times = times;
    this.#idleMs = idleMs;
    this.#pair = this.#start();
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

  /** Whether threads are there, ready or about to be. */
  get isAwake(): boolean {
    return this.#pair !== null;
  }

  async #evaluateNow(code: string): Promise<Evaluation> {
    if (this.#closed) return { kind: 'crashed', message: 'the compiler is closed' };
    clearTimeout(this.#idle);
    const { first, second } = await (this.#pair ??= this.#start());
    const killMs = this.#times.evaluationKillMs;
    const [one, other] = await Promise.all([first.evaluate(code, killMs), second.evaluate(code, killMs)]);
    if ([one, other].some(({ kind }) => kind === 'killed' || kind === 'crashed')) {
      await this.#end();
      if (!this.#closed) this.#pair = this.#start();
    }
    this.#restWhenIdle();
    if (one.kind !== 'json' || other.kind !== 'json') return one.kind === 'json' ? other : one;
    return one.text === other.text ? one : { kind: 'differs' };
  }

  async #start(): Promise<Pair> {
    const { memoryBytes, stackBytes } = compileLimits;
    const shared = {
      guest: this.#guest,
      wasmModule: await engine(),
      resultBytesMax: definitionLimits.jsonBytesMax,
      evaluationMs: this.#times.evaluationMs,
    };
    return {
      first: new SandboxWorker({ ...shared, memoryBytes, stackBytes, growthBytesMax: memoryBytes + 16 * mebibyte }),
      second: new SandboxWorker({
        ...shared,
        memoryBytes: memoryBytes - 4 * mebibyte,
        stackBytes: stackBytes - 16 * 1024,
        growthBytesMax: memoryBytes + 8 * mebibyte,
      }),
    };
  }

  #restWhenIdle(): void {
    clearTimeout(this.#idle);
    if (!this.#closed) this.#idle = setTimeout(() => void this.#end(), this.#idleMs).unref();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const ending = this.#pair;
    this.#pair = null;
    const pair = await ending;
    await Promise.all([pair?.first.end(), pair?.second.end()]);
  }
}

let compiled: Promise<WebAssembly.Module> | null = null;

function engine(): Promise<WebAssembly.Module> {
  const file = fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'));
  compiled ??= readFile(file).then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}

/** One thread, from its start to its end. */
class SandboxWorker {
  readonly #worker: Worker;
  readonly #ready: Promise<void>;
  #answer: ((evaluation: Evaluation) => void) | null = null;
  #crash: string | null = null;

  constructor(setup: SandboxSetup) {
    const file = new URL(`./sandbox-worker${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(file, {
      workerData: setup,
      env: {},
      argv: [],
      execArgv: [],
      stdin: false,
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    });
    this.#worker.unref();
    this.#ready = new Promise((resolve) => {
      this.#worker.on('message', (message: Evaluation | 'ready') => {
        if (message === 'ready') resolve();
        else this.#settle(message);
      });
      this.#worker.on('error', (error: unknown) => {
        this.#crash = error instanceof Error ? error.message : String(error);
      });
      this.#worker.on('exit', () => {
        this.#crash ??= 'it ended';
        resolve();
        this.#settle({ kind: 'crashed', message: this.#crash });
      });
    });
  }

  async evaluate(code: string, killMs: number): Promise<Evaluation> {
    await this.#ready;
    if (this.#crash !== null) return { kind: 'crashed', message: this.#crash };
    return await new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle({ kind: 'killed' }), killMs);
      this.#answer = (evaluation) => {
        clearTimeout(timer);
        resolve(evaluation);
      };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.#worker.postMessage({ code });
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(evaluation: Evaluation): void {
    const answer = this.#answer;
    this.#answer = null;
    answer?.(evaluation);
  }
}
