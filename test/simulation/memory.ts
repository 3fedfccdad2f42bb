/** What an attempt may take, by what was kept of those before it: never more than the limit, and no less than the last had. */
import type { AttemptSpec } from '../../src/executor/executor.ts';
import type { StepDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from './history.ts';

/** What is wrong with what `spec` is given; null where nothing is. */
export function wrongMemory({ attemptId, context }: AttemptSpec, run: KeptRun, step: StepDefinition): string | null {
  const { memory } = step;
  const limitBytes = memory?.growth?.limitBytes ?? null;
  let bytes = memory?.bytes ?? null;
  for (const event of run.events) {
    if (event.type !== 'attempt-finished' || event.step !== step.name || event.index !== context.index) continue;
    const { outcome } = event;
    if (outcome.kind !== 'failed' || outcome.cause !== 'out-of-memory' || bytes === null || limitBytes === null)
      continue;
    if (bytes === limitBytes) return `${attemptId} was started though one before it ran out of all ${bytes} bytes`;
    bytes = Math.min(bytes * (memory?.growth?.factor ?? 1), limitBytes);
  }
  return context.memoryBytes === bytes
    ? null
    : `${attemptId} may take ${String(context.memoryBytes)} bytes instead of ${String(bytes)}`;
}
