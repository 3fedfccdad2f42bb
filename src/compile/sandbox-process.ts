/**
 * The process that evaluates definitions in QuickJS compiled to WebAssembly. It has no environment, may read the engine
 * and nothing else, and is ended from outside when it takes too long. After anything but an answer of the engine the
 * process ends itself, because the module's memory cannot be trusted any more.
 */
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import variant from '@jitl/quickjs-wasmfile-release-sync';
import type { Evaluation, SandboxMessage, SandboxRequest, SandboxSetup } from './sandbox.ts';

/** Given back after a limit was hit, to say what happened. */
const reserveBytes = 4 * 1024 * 1024;
const reserveMs = 200;

/** A runtime in which the words are ready, and the engine's whole memory as it was then. */
interface Prepared {
  readonly runtime: QuickJSRuntime;
  readonly context: QuickJSContext;
  readonly finish: QuickJSHandle;
  readonly describe: QuickJSHandle;
  readonly image: Uint8Array;
}

/**
 * Each evaluation begins in the same memory, byte for byte: what one leaves is overwritten, and the words, which take as
 * long as a definition of fifty steps, are made ready once.
 */
class Evaluator {
  readonly #memory: WebAssembly.Memory;
  readonly #setup: SandboxSetup;
  readonly #prepared: Prepared;
  #endsAt = Infinity;

  constructor(module: QuickJSWASMModule, memory: WebAssembly.Memory, setup: SandboxSetup) {
    this.#memory = memory;
    this.#setup = setup;
    this.#prepared = this.#prepare(module);
  }

  evaluate(code: string): Evaluation {
    this.#endsAt = cpuMs() + this.#setup.evaluationMs;
    const evaluation = this.#evaluate(this.#prepared, code);
    this.#endsAt = Infinity;
    return evaluation;
  }

  /** To be done between two evaluations. */
  restore(): void {
    const memory = new Uint8Array(this.#memory.buffer);
    memory.set(this.#prepared.image);
    memory.fill(0, this.#prepared.image.length);
  }

  #prepare(module: QuickJSWASMModule): Prepared {
    const runtime = module.newRuntime();
    runtime.setMemoryLimit(this.#setup.memoryBytes);
    runtime.setMaxStackSize(this.#setup.stackBytes);
    runtime.setInterruptHandler(() => cpuMs() > this.#endsAt);
    const context = runtime.newContext();
    using guest = context.unwrapResult(context.evalCode(this.#setup.guest, 'guest.js', { type: 'global' }));
    const finish = context.getProp(guest, 'finish');
    const describe = context.getProp(guest, 'describe');
    return { runtime, context, finish, describe, image: imageOf(this.#memory) };
  }

  #evaluate(prepared: Prepared, code: string): Evaluation {
    const { context, finish } = prepared;
    using exported = context.evalCode(code, 'definition.js', { type: 'global' });
    if (exported.error !== undefined) return this.#describe(prepared, exported.error);
    using finished = context.callFunction(finish, context.undefined, exported.value);
    if (finished.error !== undefined) return this.#describe(prepared, finished.error);
    return readText(context, finished.value, this.#setup.resultBytesMax);
  }

  #describe({ runtime, context, describe }: Prepared, error: QuickJSHandle): Evaluation {
    const { memoryBytes, resultBytesMax } = this.#setup;
    const late = cpuMs() > this.#endsAt;
    runtime.setMemoryLimit(memoryBytes + reserveBytes);
    if (late) this.#endsAt = cpuMs() + reserveMs;
    using described = context.callFunction(describe, context.undefined, error);
    const text = described.error === undefined ? readText(context, described.value, resultBytesMax) : null;
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
  using length = context.getProp(handle, 'length');
  if (context.getNumber(length) > bytesMax) return { kind: 'too-large' };
  return { kind: 'json', text: context.getString(handle) };
}

/** All of it up to the last word that is not zero; looked for in a loop, as a call for each of millions takes 80 ms. */
function imageOf(memory: WebAssembly.Memory): Uint8Array {
  const words = new Int32Array(memory.buffer);
  let end = words.length;
  while (end > 0 && words[end - 1] === 0) end -= 1;
  return new Uint8Array(memory.buffer).slice(0, end * words.BYTES_PER_ELEMENT);
}

/** Of the module when it starts, as it was built. */
const firstPages = 256;
const pageBytes = 64 * 1024;

async function createEvaluator(setup: SandboxSetup): Promise<Evaluator> {
  // The engine's own limit does not count buffers, so the module as a whole cannot grow any further than this either.
  const lastPages = firstPages + setup.growthBytesMax / pageBytes;
  const wasmMemory = new WebAssembly.Memory({ initial: firstPages, maximum: lastPages });
  // The package gives the types of its CommonJS form, in which the variant lies one `default` deeper.
  const engine = variant as unknown as QuickJSSyncVariant;
  const module = await newQuickJSWASMModuleFromVariant(newVariant(engine, { wasmMemory }));
  return new Evaluator(module, wasmMemory, setup);
}

function say(message: SandboxMessage): void {
  process.send?.(message);
}

let evaluator: Evaluator | null = null;

// Sent by sandbox.ts, which starts this process: the setup first, then bundles.
process.on('message', (request: SandboxRequest) => {
  if (request.type === 'evaluate') {
    if (evaluator === null) throw new Error('a bundle came before the sandbox was set up');
    say({ type: 'answer', evaluation: evaluator.evaluate(request.code) });
    evaluator.restore();
    return;
  }
  void setUp(request.setup);
});

async function setUp(setup: SandboxSetup): Promise<void> {
  evaluator = await createEvaluator(setup);
  say({ type: 'ready' });
}
