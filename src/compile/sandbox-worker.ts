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

class Evaluator {
  readonly #module: QuickJSWASMModule;
  readonly #setup: SandboxSetup;
  #endsAt = 0;

  constructor(module: QuickJSWASMModule, setup: SandboxSetup) {
    this.#module = module;
    this.#setup = setup;
  }

  /**
   * Twice, the second time with a little less memory and stack: a definition that can tell the difference depends on
   * the machine, and is no function of the commit.
   */
  evaluateTwice(code: string): Evaluation {
    const { memoryBytes, stackBytes, resultBytesMax, evaluationMs } = this.#setup;
    this.#endsAt = performance.now() + evaluationMs;
    const limits: Limits = { memoryBytes, stackBytes, resultBytesMax, ballastBytes: 0 };
    const first = this.#evaluate(code, limits);
    if (first.kind !== 'json') return first;
    const second = this.#evaluate(code, {
      ...limits,
      memoryBytes: memoryBytes - reserveBytes,
      stackBytes: stackBytes - 16 * 1024,
      ballastBytes: 2 * reserveBytes,
    });
    if (second.kind !== 'json') return second;
    return first.text === second.text ? first : { kind: 'differs' };
  }

  #evaluate(code: string, limits: Limits): Evaluation {
    const runtime = this.#module.newRuntime();
    runtime.setMemoryLimit(limits.memoryBytes);
    runtime.setMaxStackSize(limits.stackBytes);
    runtime.setInterruptHandler(() => performance.now() > this.#endsAt);
    const context = runtime.newContext();
    try {
      return this.#run(runtime, context, code, limits);
    } finally {
      context.dispose();
      runtime.dispose();
    }
  }

  #run(runtime: QuickJSRuntime, context: QuickJSContext, code: string, limits: Limits): Evaluation {
    using guest = context.unwrapResult(context.evalCode(this.#setup.guest, 'guest.js', { type: 'global' }));
    using _ballast = context.evalCode(`new ArrayBuffer(${limits.ballastBytes})`, 'ballast.js');
    using finish = context.getProp(guest, 'finish');
    using describe = context.getProp(guest, 'describe');
    using exported = context.evalCode(code, 'definition.js', { type: 'global' });
    if (exported.error !== undefined) return this.#describe(runtime, context, describe, exported.error, limits);
    using finished = context.callFunction(finish, context.undefined, exported.value);
    if (finished.error !== undefined) return this.#describe(runtime, context, describe, finished.error, limits);
    return readText(context, finished.value, limits);
  }

  #describe(
    runtime: QuickJSRuntime,
    context: QuickJSContext,
    describe: QuickJSHandle,
    error: QuickJSHandle,
    limits: Limits,
  ): Evaluation {
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
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
port.postMessage('ready');
