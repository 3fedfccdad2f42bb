/** The kinds of work of the runner, each in its own file and loaded when it is first needed. */
import type { RunnerResult, RunnerTask } from '../src/executor/executor.ts';
import { unreachable } from '../src/std/unreachable.ts';
import type { Keeper } from './keeper.ts';

/** One attempt, with what its work may use. */
export interface Attempt {
  readonly task: RunnerTask;
  readonly signal: AbortSignal;
  readonly keeper: Keeper;
  /** A line in the attempt's log. */
  readonly say: (line: string) => void;
}

/** Throws what the user's code throws. */
export async function carryOut(attempt: Attempt): Promise<RunnerResult> {
  const { work } = attempt.task;
  switch (work.kind) {
    case 'function':
    case 'branch':
    case 'short-circuit':
      return (await import('./function.ts')).runFunction(work, attempt);
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

/** An outcome of a step that cannot be run as it stands: never tried again. */
export function invalid(message: string): RunnerResult {
  return { kind: 'failed', cause: 'invalid', message, exitCode: null };
}
