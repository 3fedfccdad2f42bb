/** What every kind of work is handed. */
import type { RunnerResult, RunnerTask } from '../src/executor/executor.ts';
import type { Keeper } from './keeper.ts';

/** One attempt, with what its work may use. */
export interface Attempt {
  readonly task: RunnerTask;
  readonly signal: AbortSignal;
  readonly keeper: Keeper;
  /** This process is good for no further attempt. */
  readonly spoil: () => void;
  /** A line in the attempt's log. */
  readonly say: (line: string) => void;
}

/** An outcome of a step that cannot be run as it stands: never tried again. */
export function invalid(message: string): RunnerResult {
  return { kind: 'failed', cause: 'invalid', message, exitCode: null };
}
