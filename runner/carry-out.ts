/** The kinds of work of the runner, each in its own file and loaded when it is first needed. */
import type { RunnerResult } from '../src/executor/executor.ts';
import { unreachable } from '../src/std/unreachable.ts';
import type { Attempt } from './attempt.ts';

// Kept here: even of a module that is loaded, `import()` asks all hooks anew where it is.
const functions = once(() => import('./function.ts'));
const gates = once(() => import('./gate.ts'));
const challenges = once(() => import('./challenge.ts'));
const waits = once(() => import('./wait.ts'));

/** Throws what the user's code throws. */
export async function carryOut(attempt: Attempt): Promise<RunnerResult> {
  const { work } = attempt.task;
  switch (work.kind) {
    case 'function':
    case 'branch':
    case 'short-circuit':
      return (await functions()).runFunction({ ...work, kind: work.kind }, attempt);
    case 'gate':
      return (await gates()).runGate(work, attempt);
    case 'challenge':
      return (await challenges()).runChallenge(work, attempt);
    case 'wait':
      return (await waits()).runWait(work, attempt);
    default:
      return unreachable(work);
  }
}

function once<Module>(load: () => Promise<Module>): () => Promise<Module> {
  let loaded: Promise<Module> | null = null;
  return () => (loaded ??= load());
}
