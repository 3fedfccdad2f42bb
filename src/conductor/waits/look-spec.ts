/** One look of a function as the executor gets it, with the references of its input as values. */
import { bindValue, contextOf, lookTimeoutMs, type AwaitedLook } from '../../engine/engine.ts';
import type { Run } from '../../engine/run.ts';
import { attemptId, type LookSpec } from '../../executor/executor.ts';
import type { WaitWork } from '../../pipeline/definition.ts';
import { success, type Result } from '../../std/result.ts';
import { podOfStep } from '../pod-of-step.ts';

/** Without its number: it is the same for all looks of one wait. */
export type AnyLookSpec = Omit<LookSpec, 'number'>;

/** The error is a sentence: nothing can be looked for. */
export function lookSpecOf(
  run: Run,
  { step, work, instance }: AwaitedLook,
  condition: Extract<WaitWork['for'], { condition: 'function' }>,
): Result<AnyLookSpec, string> {
  const { name, secrets, graceMs, queue = null, startTimeoutMs: startMs = null } = step.definition;
  const { runId, repository, sha } = run.opened;
  const key = { step: name, index: instance.index, attempt: 1 };
  const input = bindValue(run, condition.input, key);
  if (!input.ok) return input;
  const pod = podOfStep(run, step.definition, key);
  if (!pod.ok) return pod;
  return success({
    attemptId: attemptId(runId, key),
    repository,
    sha,
    work: { kind: 'wait', file: condition.file, input: input.value },
    queue,
    startMs,
    pod: pod.value,
    context: contextOf(run, key),
    secrets,
    timeoutMs: lookTimeoutMs(work),
    graceMs,
  });
}
