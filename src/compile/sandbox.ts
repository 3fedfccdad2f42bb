/**
 * Evaluates bundles one after the other in a process of their own, each twice: the second evaluator has a little less
 * memory and stack, and a definition that can tell the difference depends on the machine and is no function of the
 * commit. What is not done in a short time has its whole time later, when those that are quick have had theirs. The
 * process is ended, and made anew, when a bundle does not behave; where it is the machine that does not, nothing is said of
 * the bundle. It is ended too when there is nothing to do for a
 * while, since it holds as much memory as the rest of the server; whoever sees work coming wakes it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { definitionLimits } from '../pipeline/definition-limits.ts';
import { messageOfError } from '../std/error-message.ts';
import { unreachable } from '../std/unreachable.ts';
import { CompilerFailure, compileLimits } from './compile.ts';
import { installedImageDigest } from './image-digest.ts';
import { Line, type Share } from './line.ts';
import { ProcessClock } from './process-clock.ts';
import { unpackImage, type WordsImage } from './words-image.ts';

export type EvaluatorName = 'whole' | 'tight';

export interface EvaluatorLimits {
  /** Of the engine, buffers not counted. */
  readonly memoryBytes: number;
  readonly stackBytes: number;
  /** By how much the engine's memory as a whole may grow, buffers included. */
  readonly growthBytesMax: number;
}

/** What the process is told first. */
export interface SandboxSetup {
  readonly guest: string;
  /** Of the engine and the guest. */
  readonly imageDigest: string;
  readonly limits: Readonly<Record<EvaluatorName, EvaluatorLimits>>;
  readonly resultBytesMax: number;
  /** Whether it is asked for the engine's memory with the words in it. */
  readonly wantsImage: boolean;
}

/** When a bundle interrupts itself, and when it is ended from outside. */
export interface EvaluationTimes {
  readonly evaluationMs: number;
  readonly evaluationKillMs: number;
}

export type SandboxRequest =
  | { readonly type: 'setup'; readonly setup: SandboxSetup }
  /** `evaluationMs`: of the processor, for each of the two evaluations. */
  | { readonly type: 'evaluate'; readonly code: string; readonly evaluationMs: number };

export type SandboxMessage =
  /** `image` in base64. */
  | { readonly type: 'ready'; readonly image: string | null }
  /** What the first of the two evaluations gave: the time of the second begins. */
  | { readonly type: 'half'; readonly text: string }
  | { readonly type: 'answer'; readonly evaluation: Evaluation | Same };

/** The second gave what the first did. */
export interface Same {
  readonly kind: 'same';
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
  /** The process ended: by itself, where the engine ran out of memory or stack; by a signal; or it never began. */
  | { readonly kind: 'crashed'; readonly message: string; readonly by: 'itself' | 'signal' | 'start' };

/** The machine gave it no time of the processor. */
interface Stalled {
  readonly kind: 'stalled';
}

type First = (evaluation: Extract<Evaluation, { kind: 'json' }>) => void;

const mebibyte = 1024 * 1024;

const { memoryBytes, stackBytes } = compileLimits;
const limits: SandboxSetup['limits'] = {
  whole: { memoryBytes, stackBytes, growthBytesMax: memoryBytes + 16 * mebibyte },
  tight: {
    memoryBytes: memoryBytes - 4 * mebibyte,
    stackBytes: stackBytes - 16 * 1024,
    growthBytesMax: memoryBytes + 8 * mebibyte,
  },
};

export class Sandbox {
  readonly #guest: string;
  readonly #times: EvaluationTimes;
  /** Of the first try. */
  readonly #quick: EvaluationTimes;
  readonly #idleMs: number;
  readonly #onRest: () => void;
  readonly #line = new Line(() => this.#spentMs);
  #spentMs = 0;
  #process: SandboxProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #isEvaluating = false;
  #closed = false;

  /** `onRest` is told when the process ends because nothing came for `idleMs`. */
  constructor(
    guest: string,
    times: EvaluationTimes,
    idleMs: number = compileLimits.sandboxIdleMs,
    onRest: () => void = () => undefined,
  ) {
    this.#guest = guest;
    this.#times = times;
    this.#quick = {
      evaluationMs: Math.min(times.evaluationMs, compileLimits.firstTryMs),
      evaluationKillMs: Math.min(times.evaluationKillMs, compileLimits.firstTryKillMs),
    };
    this.#idleMs = idleMs;
    this.#onRest = onRest;
  }

  /** Starts the process, so that the next bundle finds it ready. */
  wake(): void {
    if (this.#closed) return;
    this.#prepare();
    this.#restWhenIdle();
  }

  /**
   * Waits for its turn, in which `share` may not be used up. Rejects with a `CompilerFailure` alone. `first` is given what the first of the two
   * evaluations gave, while the second is under way: with the answer `json` it is the same.
   */
  async evaluate(code: string, share: Share, first: First = () => undefined): Promise<Evaluation> {
    const times = [this.#quick, this.#times];
    let evaluation: Evaluation | Stalled | null = null;
    for (const [tries, time] of times.entries()) {
      evaluation = await this.#line.inTurn(share, tries > 0, () => this.#evaluateNow(code, time, first));
      if (evaluation === null || !isTooSlow(evaluation)) break;
    }
    if (this.#closed) throw new CompilerFailure('the compiler is closed', false);
    if (evaluation?.kind === 'stalled') throw new CompilerFailure('the machine was too busy to evaluate a file', false);
    if (evaluation?.kind === 'crashed' && evaluation.by !== 'itself')
      throw new CompilerFailure(`the sandbox ended: ${evaluation.message}`, evaluation.by === 'signal');
    return evaluation ?? { kind: 'not-reached' };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  /** Whether the process is there, ready or about to be. */
  get isAwake(): boolean {
    return this.#process !== null;
  }

  async #evaluateNow(code: string, times: EvaluationTimes, first: First): Promise<Evaluation | Stalled | null> {
    if (this.#closed) return null;
    clearTimeout(this.#idle);
    this.#isEvaluating = true;
    let evaluation = await this.#evaluateOnce(code, times, first);
    if (evaluation.kind === 'crashed' && !this.#closed) evaluation = await this.#evaluateOnce(code, times, first);
    this.#isEvaluating = false;
    this.#restWhenIdle();
    return evaluation;
  }

  async #evaluateOnce(code: string, times: EvaluationTimes, first: First): Promise<Evaluation | Stalled> {
    const process = this.#prepare();
    if (typeof process === 'string') return { kind: 'crashed', message: process, by: 'start' };
    const evaluation = await process.evaluate(code, times, first);
    this.#spentMs += process.takeSpentMs();
    if (evaluation.kind === 'killed' || evaluation.kind === 'crashed' || evaluation.kind === 'stalled') {
      await this.#end();
      if (!this.#closed) this.#prepare();
    }
    return evaluation;
  }

  /** The process, or why there is none. */
  #prepare(): SandboxProcess | string {
    try {
      return (this.#process ??= new SandboxProcess(this.#guest));
    } catch (error) {
      return messageOfError(error);
    }
  }

  #restWhenIdle(): void {
    clearTimeout(this.#idle);
    if (this.#closed || this.#isEvaluating) return;
    this.#idle = setTimeout(() => {
      void this.#end();
      this.#onRest();
    }, this.#idleMs).unref();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const ending = this.#process;
    this.#process = null;
    await ending?.end();
  }
}

function isTooSlow(evaluation: Evaluation | Stalled): boolean {
  return (
    evaluation.kind === 'killed' || evaluation.kind === 'stalled' || (evaluation.kind === 'threw' && evaluation.late)
  );
}

/** The engine's memory with the words of `guest` in it, as a process begins with it. */
export async function makeImage(guest: string): Promise<WordsImage> {
  const process = new SandboxProcess(guest, true);
  const image = await process.image();
  await process.end();
  return image;
}

/** By somebody else: the engine never ends by one of these. */
const sentSignals: ReadonlySet<string> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGKILL']);

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
  readonly #ready = Promise.withResolvers<string | null>();
  readonly #ended = Promise.withResolvers<void>();
  #answer: ((evaluation: Evaluation | Stalled) => void) | null = null;
  #half: (text: string) => void = () => undefined;
  #first = '';
  #crash: Extract<Evaluation, { kind: 'crashed' }> | null = null;
  #isReady = false;
  #clock = new ProcessClock(undefined);
  #spentMs = 0;

  constructor(guest: string, wantsImage = false) {
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
      this.#gone(error.message, 'start');
      // One that could not be started has no end of its own.
      if (this.#child.pid === undefined) this.#ended.resolve();
    });
    this.#child.on('exit', (code, signal) => {
      const isSent = signal !== null && sentSignals.has(signal);
      this.#gone(signal === null ? `exit code ${code}` : `ended by ${signal}`, isSent ? 'signal' : 'itself');
      this.#ended.resolve();
    });
    const resultBytesMax = definitionLimits.jsonBytesMax;
    // While the process starts.
    const imageDigest = installedImageDigest(guest);
    this.#send({ type: 'setup', setup: { guest, imageDigest, limits, resultBytesMax, wantsImage } });
  }

  async evaluate(code: string, times: EvaluationTimes, first: First): Promise<Evaluation | Stalled> {
    const { evaluationMs, evaluationKillMs } = times;
    await this.#started();
    if (this.#crash !== null) return this.#crash;
    this.#clock = new ProcessClock(this.#child.pid);
    return await new Promise((resolve) => {
      const look = (): void => {
        if (this.#clock.usedMs >= evaluationMs) this.#settle({ kind: 'killed' });
        else if (this.#clock.passedMs >= compileLimits.stalledFactor * evaluationKillMs)
          this.#settle({ kind: 'stalled' });
        else timer.refresh();
      };
      // So does this one.
      const timer = setTimeout(look, evaluationKillMs);
      this.#half = (text) => {
        timer.refresh();
        this.#spend();
        this.#first = text;
        first({ kind: 'json', text });
      };
      this.#answer = (evaluation) => {
        clearTimeout(timer);
        this.#spend();
        resolve(evaluation);
      };
      this.#send({ type: 'evaluate', code, evaluationMs });
    });
  }

  /** Of the processor, since it was asked last. */
  takeSpentMs(): number {
    const spentMs = this.#spentMs;
    this.#spentMs = 0;
    return spentMs;
  }

  #spend(): void {
    this.#spentMs += this.#clock.usedMs;
    this.#clock.restart();
  }

  /** Rejects where the process ended before it was ready. */
  async image(): Promise<WordsImage> {
    const image = await this.#started();
    if (image === null)
      throw new Error(`the sandbox gave no image: ${this.#crash?.message ?? 'it was not asked for one'}`);
    return unpackImage(Buffer.from(image, 'base64'));
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    // Who waits for the end is kept alive until it has come.
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.ref();
    await this.#ended.promise;
  }

  async #started(): Promise<string | null> {
    // The timer keeps us alive where nothing else does.
    const starting = setTimeout(() => this.#gone('it did not start', 'start'), compileLimits.sandboxStartMs);
    const image = await this.#ready.promise;
    clearTimeout(starting);
    return image;
  }

  #send(request: SandboxRequest): void {
    // What cannot be sent any more is answered by the end of the process.
    this.#child.send(request, () => undefined);
  }

  #take(message: SandboxMessage): void {
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        return this.#ready.resolve(message.image);
      case 'half':
        return this.#half(message.text);
      case 'answer': {
        const { evaluation } = message;
        return this.#settle(evaluation.kind === 'same' ? { kind: 'json', text: this.#first } : evaluation);
      }
      default:
        return unreachable(message);
    }
  }

  #gone(message: string, by: 'itself' | 'signal' | 'start'): void {
    this.#crash ??= { kind: 'crashed', message, by: this.#isReady ? by : 'start' };
    this.#ready.resolve(null);
    this.#settle(this.#crash);
  }

  #settle(evaluation: Evaluation | Stalled): void {
    const answer = this.#answer;
    this.#answer = null;
    answer?.(evaluation);
  }
}
