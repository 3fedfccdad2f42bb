/**
 * The process that evaluates definitions in QuickJS compiled to WebAssembly. It has no environment, may read the engine
 * and nothing else, and is ended from outside when it takes too long. After anything but an answer of the engine the
 * process ends itself, because the module's memory cannot be trusted any more.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Evaluator, type Engine } from './evaluator.ts';
import type { Evaluation, EvaluatorName, Same, SandboxMessage, SandboxRequest, SandboxSetup } from './sandbox.ts';
import { packImage, readImage } from './words-image.ts';

/** Written by the build of the package. */
const imageFile = new URL('prebuilt/words.image', import.meta.url);

type Evaluators = Readonly<Record<EvaluatorName, Evaluator>>;

async function setUp(setup: SandboxSetup): Promise<Evaluators> {
  // The engine keeps the name of the program in its memory, which has to be the same on every machine.
  process.argv.length = 1;
  const code = readFileSync(fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')));
  const engine: Engine = { module: new WebAssembly.Module(code), digest: setup.imageDigest };
  const whole = await Evaluator.make(engine, setup, setup.limits.whole, readImage(imageFile));
  return { whole, tight: await Evaluator.make(engine, setup, setup.limits.tight, whole.image) };
}

function say(message: SandboxMessage): void {
  process.send?.(message);
}

let evaluators: Evaluators | null = null;
let rehearsal: NodeJS.Timeout | undefined;
/** A bundle that waits comes sooner than this, and is not to wait any longer. */
const quietMs = 5;

// They go to the whole group of the server, which first ends its own work and then this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

// Sent by sandbox.ts, which starts this process: the setup first, then bundles.
process.on('message', (request: SandboxRequest) => {
  void answer(request);
});

async function answer(request: SandboxRequest): Promise<void> {
  if (request.type === 'setup') {
    const ready = await setUp(request.setup);
    evaluators = ready;
    rehearsal = setTimeout(() => rehearse(ready), quietMs);
    return say({
      type: 'ready',
      image: request.setup.wantsImage ? packImage(ready.whole.image).toString('base64') : null,
    });
  }
  clearTimeout(rehearsal);
  if (evaluators === null) throw new Error('a bundle came before the sandbox was set up');
  say({ type: 'answer', evaluation: evaluateTwice(evaluators, request) });
  evaluators.whole.restore();
  evaluators.tight.restore();
}

function rehearse({ whole, tight }: Evaluators): void {
  whole.rehearse();
  whole.restore();
  tight.restore();
}

type Bundle = Extract<SandboxRequest, { type: 'evaluate' }>;

function evaluateTwice({ whole, tight }: Evaluators, { code, evaluationMs }: Bundle): Evaluation | Same {
  const one = whole.evaluate(code, evaluationMs);
  if (one.kind !== 'json') return one;
  say({ type: 'half', text: one.text });
  const other = tight.evaluate(code, evaluationMs);
  if (other.kind !== 'json') return other;
  return one.text === other.text ? { kind: 'same' } : { kind: 'differs' };
}
