import type { AttemptWork, RunnerResult } from '../src/executor/executor.ts';
import { invalid, type Attempt } from './carry-out.ts';

export async function runWait(work: Extract<AttemptWork, { kind: 'wait' }>, attempt: Attempt): Promise<RunnerResult> {
  void attempt;
  return invalid(work.kind);
}
