/**
 * The thread that evaluates definitions in QuickJS compiled to WebAssembly. It has no environment, imports nothing but
 * the engine, and is ended from outside when it takes too long. Each evaluation gets a runtime of its own; after anything
 * but an answer of the engine the thread ends itself, because the module's memory cannot be trusted any more.
 */
import { parentPort, workerData } from 'node:worker_threads';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import type { Evaluation, EvaluationRequest, SandboxSetup } from './sandbox.ts';

interface Limits {
  readonly memoryBytes: number;
  readonly stackBytes: number;
  readonly resultBytesMax: number;
  /** Taken from what the module has in all, before the definition runs. */
  readonly ballastBytes: number;
}

/** Given back after the limit was hit, to say what happened. */
const reserveBytes = 4 * 1024 * 1024;
const reserveMs = 200;

/** A runtime in which the words are ready, for one evaluation. */
interface Prepared {
  readonly runtime: QuickJSRuntime;
  readonly context: QuickJSContext;
  readonly finish: QuickJSHandle;
  readonly describe: QuickJSHandle;
  readonly limits: Limits;
}

class Evaluator {
  readonly #module: QuickJSWASMModule;
  readonly #setup: SandboxSetup;
  #prepared: readonly [Prepared, Prepared] | null = null;
  #endsAt = Infinity;

  constructor(module: QuickJSWASMModule, setup: SandboxSetup) {
    this.#module = module;
    this.#setup = setup;
  }

  /**
   * Makes ready for the next evaluation, which comes twice: the second time with a little less memory and stack. A
   * definition that can tell the difference depends on the machine, and is no function of the commit.
   */
  prepare(): readonly [Prepared, Prepared] {
    if (this.#prepared !== null) return this.#prepared;
    const { memoryBytes, stackBytes, resultBytesMax } = this.#setup;
    const first = { memoryBytes, stackBytes, resultBytesMax, ballastBytes: 0 };
    const second = {
      memoryBytes: memoryBytes - reserveBytes,
      stackBytes: stackBytes - 16 * 1024,
      resultBytesMax,
      ballastBytes: 2 * reserveBytes,
    };
    this.#endsAt = Infinity;
    this.#prepared = [this.#prepareOne(first), this.#prepareOne(second)];
    return this.#prepared;
  }

  evaluateTwice(code: string): Evaluation {
    const [first, second] = this.prepare();
    this.#prepared = null;
    this.#endsAt = performance.now() + this.#setup.evaluationMs;
    const one = this.#evaluate(first, code);
    const other = one.kind === 'json' ? this.#evaluate(second, code) : one;
    for (const { context, runtime, finish, describe } of [first, second]) {
      finish.dispose();
      describe.dispose();
      context.dispose();
      runtime.dispose();
    }
    return one.kind === 'json' && other.kind === 'json' && one.text !== other.text ? { kind: 'differs' } : other;
  }

  #prepareOne(limits: Limits): Prepared {
    const runtime = this.#module.newRuntime();
    runtime.setMemoryLimit(limits.memoryBytes);
    runtime.setMaxStackSize(limits.stackBytes);
    runtime.setInterruptHandler(() => performance.now() > this.#endsAt);
    const context = runtime.newContext();
    using guest = context.unwrapResult(context.evalCode(this.#setup.guest, 'guest.js', { type: 'global' }));
    return {
      runtime,
      context,
      finish: context.getProp(guest, 'finish'),
      describe: context.getProp(guest, 'describe'),
      limits,
    };
  }

  #evaluate(prepared: Prepared, code: string): Evaluation {
    const { context, finish, limits } = prepared;
    using _ballast = context.evalCode(`new ArrayBuffer(${limits.ballastBytes})`, 'ballast.js');
    using exported = context.evalCode(code, 'definition.js', { type: 'global' });
    if (exported.error !== undefined) return this.#describe(prepared, exported.error);
    using finished = context.callFunction(finish, context.undefined, exported.value);
    if (finished.error !== undefined) return this.#describe(prepared, finished.error);
    return readText(context, finished.value, limits);
  }

  #describe({ runtime, context, describe, limits }: Prepared, error: QuickJSHandle): Evaluation {
    const late = performance.now() > this.#endsAt;
    runtime.setMemoryLimit(limits.memoryBytes + reserveBytes);
    if (late) this.#endsAt = performance.now() + reserveMs;
    using described = context.callFunction(describe, context.undefined, error);
    const text = described.error === undefined ? readText(context, described.value, limits) : null;
    if (text?.kind !== 'json') return { kind: 'threw', text: null, late: late || performance.now() > this.#endsAt };
    return { kind: 'threw', text: text.text, late };
  }
}

/** The text, unless it is none or too long: its length is asked for before it is copied. */
function readText(context: QuickJSContext, handle: QuickJSHandle, limits: Limits): Evaluation {
  if (context.typeof(handle) !== 'string') return { kind: 'threw', text: null, late: false };
  using length = context.getProp(handle, 'length');
  if (context.getNumber(length) > limits.resultBytesMax) return { kind: 'too-large' };
  return { kind: 'json', text: context.getString(handle) };
}

const port = parentPort;
if (port === null) throw new Error('the sandbox runs in a thread of its own');
// Written by sandbox.ts, which starts this thread.
const setup = workerData as SandboxSetup;
const pageBytes = 64 * 1024;
/** Of the module when it starts, as it was built. */
const firstPages = 256;
// The engine's own limit does not count buffers, so the module as a whole cannot grow any further than this either.
const lastPages = firstPages + (setup.memoryBytes + 4 * reserveBytes) / pageBytes;
const wasmMemory = new WebAssembly.Memory({ initial: firstPages, maximum: lastPages });
// The package gives the types of its CommonJS form, in which the variant lies one `default` deeper.
const variant = (await import('@jitl/quickjs-wasmfile-release-sync')).default as unknown as QuickJSSyncVariant;
const evaluator = new Evaluator(await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory })), setup);
port.on('message', (request: EvaluationRequest) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  port.postMessage(evaluator.evaluateTwice(request.code));
  evaluator.prepare();
});
evaluator.prepare();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
port.postMessage('ready');
