/** One look of a function. What is not there yet is no failure. */
import type { LookWork, RunnerResult } from '../src/executor/executor.ts';
import { invalid, type Attempt } from './attempt.ts';
import { callFunction } from './function.ts';
import { succeeded } from './result.ts';

export async function runWait(work: LookWork, attempt: Attempt): Promise<RunnerResult> {
  const called = await callFunction(work, attempt);
  if (!called.ok) return invalid(called.error);
  const isThere = called.value !== false && called.value !== null && called.value !== undefined;
  if (!isThere) return { kind: 'not-yet', reason: 'the function says not yet' };
  return succeeded(called.value, null, attempt.task.scratch);
}
