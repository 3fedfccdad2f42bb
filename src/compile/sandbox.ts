/** Evaluates bundles one after the other in a thread that is ended, and made anew, when a bundle does not behave. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { definitionLimits } from '../pipeline/definition.ts';
import { compileLimits } from './compile.ts';

/** What the thread is started with. */
export interface SandboxSetup {
  readonly guest: string;
  readonly memoryBytes: number;
  readonly stackBytes: number;
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

export class Sandbox {
  readonly #setup: SandboxSetup;
  readonly #killMs: number;
  #worker: SandboxWorker | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(guest: string, { evaluationMs, evaluationKillMs }: EvaluationTimes) {
    const { memoryBytes, stackBytes } = compileLimits;
    this.#setup = { guest, memoryBytes, stackBytes, resultBytesMax: definitionLimits.jsonBytesMax, evaluationMs };
    this.#killMs = evaluationKillMs;
    this.#worker = new SandboxWorker(this.#setup);
  }

  /** Waits for its turn, which has to come before `endsAt` (of `performance.now()`); never rejects. */
  async evaluate(code: string, endsAt: number): Promise<Evaluation> {
    const turn = this.#last.then(async () => (performance.now() > endsAt ? notReached : await this.#evaluateNow(code)));
    this.#last = turn;
    return await turn;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.end();
  }

  async #evaluateNow(code: string): Promise<Evaluation> {
    if (this.#closed) return { kind: 'crashed', message: 'the compiler is closed' };
    const worker = this.#worker ?? new SandboxWorker(this.#setup);
    this.#worker = worker;
    const evaluation = await worker.evaluate(code, this.#killMs);
    if (evaluation.kind === 'killed' || evaluation.kind === 'crashed') {
      await worker.end();
      this.#worker = this.#closed ? null : new SandboxWorker(this.#setup);
    }
    return evaluation;
  }
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
