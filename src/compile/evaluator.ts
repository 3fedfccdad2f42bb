/** One engine with the words in it, which evaluates bundles one after the other, each in the same memory. */
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSSyncVariant,
} from 'quickjs-emscripten-core';
import variant from '@jitl/quickjs-wasmfile-release-sync';
import type { Evaluation, EvaluatorLimits, SandboxSetup } from './sandbox.ts';
import { fits, lay, restore, takeImage, type WordsImage } from './words-image.ts';

/** The engine's machine code, which several evaluators share. */
export interface Engine {
  readonly module: WebAssembly.Module;
  /** Of it and the words. */
  readonly digest: string;
}

/** Given back after a limit was hit, to say what happened. */
const reserveBytes = 4 * 1024 * 1024;
const reserveMs = 200;

/** Of the module when it starts, as it was built. */
const firstPages = 256;
const pageBytes = 64 * 1024;

/** Uses the words a little. */
const rehearsal = `(() => {
  const { pipeline, step } = globalThis['contender:words'];
  return { default: pipeline('rehearsal', { on: {} }, ({ date }) => {
    const first = step('first', { command: ['true', date], outputs: { rows: 'number' } });
    step('second', { command: ['true'], env: { ROWS: \`\${first.rows}\` } });
  }) };
})()`;

/** What is made of an engine before it has words. */
interface Ready {
  readonly memory: WebAssembly.Memory;
  readonly runtime: QuickJSRuntime;
  readonly context: QuickJSContext;
}

export class Evaluator {
  readonly #ready: Ready;
  readonly #setup: SandboxSetup;
  readonly #limits: EvaluatorLimits;
  readonly image: WordsImage;
  #endsAt = Infinity;

  /** With the words of `image` where it fits, else by evaluating them. */
  static async make(
    engine: Engine,
    setup: SandboxSetup,
    limits: EvaluatorLimits,
    image: WordsImage | null,
  ): Promise<Evaluator> {
    // The engine's own limit does not count buffers, so the module as a whole cannot grow any further than this either.
    const maximum = firstPages + limits.growthBytesMax / pageBytes;
    const memory = new WebAssembly.Memory({ initial: firstPages, maximum });
    // The package gives the types of its CommonJS form, in which the variant lies one `default` deeper.
    const base = variant as unknown as QuickJSSyncVariant;
    const module = await newQuickJSWASMModuleFromVariant(
      newVariant(base, { wasmModule: engine.module, wasmMemory: memory }),
    );
    const runtime = module.newRuntime();
    return new Evaluator({ memory, runtime, context: runtime.newContext() }, setup, limits, { engine, image });
  }

  private constructor(
    ready: Ready,
    setup: SandboxSetup,
    limits: EvaluatorLimits,
    { engine, image }: { readonly engine: Engine; readonly image: WordsImage | null },
  ) {
    this.#ready = ready;
    this.#setup = setup;
    this.#limits = limits;
    const { memory, runtime, context } = ready;
    runtime.setInterruptHandler(() => cpuMs() > this.#endsAt);
    const origin = context.global.value;
    if (image !== null && fits(image, engine.digest, origin)) {
      this.image = image;
      lay(memory, image);
    } else {
      this.#limit();
      context.unwrapResult(context.evalCode(setup.guest, 'guest.js', { type: 'global' })).dispose();
      this.image = takeImage(memory, engine.digest, origin);
    }
    this.#limit();
  }

  /** As `evaluate`. The machine code that a definition needs is there afterwards: it is made as it is first used. */
  rehearse(): void {
    this.evaluate(rehearsal, Infinity);
  }

  /** `evaluationMs`: of the processor. `restore` is to be done before the next one. */
  evaluate(code: string, evaluationMs: number): Evaluation {
    const { context } = this.#ready;
    // Handles of the evaluation before point to nowhere. They are left alone: what they held is gone with the memory.
    const host = context.unwrapResult(
      context.evalCode("globalThis['contender:host']()", 'host.js', { type: 'global' }),
    );
    const [finish, describe] = [context.getProp(host, 'finish'), context.getProp(host, 'describe')];
    this.#endsAt = cpuMs() + evaluationMs;
    const evaluation = this.#evaluate(code, finish, describe);
    this.#endsAt = Infinity;
    return evaluation;
  }

  restore(): void {
    restore(this.#ready.memory, this.image);
    this.#limit();
  }

  #limit(): void {
    const { runtime } = this.#ready;
    runtime.setMemoryLimit(this.#limits.memoryBytes);
    runtime.setMaxStackSize(this.#limits.stackBytes);
  }

  #evaluate(code: string, finish: QuickJSHandle, describe: QuickJSHandle): Evaluation {
    const { context } = this.#ready;
    const exported = context.evalCode(code, 'definition.js', { type: 'global' });
    if (exported.error !== undefined) return this.#describe(describe, exported.error);
    const finished = context.callFunction(finish, context.undefined, exported.value);
    if (finished.error !== undefined) return this.#describe(describe, finished.error);
    return readText(context, finished.value, this.#setup.resultBytesMax);
  }

  #describe(describe: QuickJSHandle, error: QuickJSHandle): Evaluation {
    const { context, runtime } = this.#ready;
    const late = cpuMs() > this.#endsAt;
    runtime.setMemoryLimit(this.#limits.memoryBytes + reserveBytes);
    if (late) this.#endsAt = cpuMs() + reserveMs;
    const described = context.callFunction(describe, context.undefined, error);
    const text = described.error === undefined ? readText(context, described.value, this.#setup.resultBytesMax) : null;
    if (text?.kind !== 'json') return { kind: 'threw', text: null, late: late || cpuMs() > this.#endsAt };
    return { kind: 'threw', text: text.text, late };
  }
}

/** Of this thread's processor time, so that a busy machine is no fault of the definition's. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The text, unless it is none or too long: its length is asked for before it is copied. */
function readText(context: QuickJSContext, handle: QuickJSHandle, bytesMax: number): Evaluation {
  if (context.typeof(handle) !== 'string') return { kind: 'threw', text: null, late: false };
  const length = context.getNumber(context.getProp(handle, 'length'));
  if (length > bytesMax) return { kind: 'too-large' };
  return { kind: 'json', text: context.getString(handle) };
}
