/** The kinds of work of the runner, each in its own file and loaded when it is first needed. */
import type { RunnerResult } from '../src/executor/executor.ts';
import { unreachable } from '../src/std/unreachable.ts';
import type { Attempt } from './attempt.ts';

/** Throws what the user's code throws. */
export async function carryOut(attempt: Attempt): Promise<RunnerResult> {
  const { work } = attempt.task;
  switch (work.kind) {
    case 'function':
    case 'branch':
    case 'short-circuit':
      return (await import('./function.ts')).runFunction({ ...work, kind: work.kind }, attempt);
    case 'gate':
      return (await import('./gate.ts')).runGate(work, attempt);
    case 'challenge':
      return (await import('./challenge.ts')).runChallenge(work, attempt);
    case 'wait':
      return (await import('./wait.ts')).runWait(work, attempt);
    default:
      return unreachable(work);
  }
}
