import type { AttemptWork, RunnerResult } from '../src/executor/executor.ts';
import { invalid, type Attempt } from './carry-out.ts';

export async function runChallenge(
  work: Extract<AttemptWork, { kind: 'challenge' }>,
  attempt: Attempt,
): Promise<RunnerResult> {
  void attempt;
  return invalid(work.kind);
}
