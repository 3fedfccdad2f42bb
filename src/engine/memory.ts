/**
 * How much memory an attempt may take: what the step says, multiplied for each attempt before it that ran out of memory,
 * up to the limit. It follows from the definition and the causes in the journal, so nobody has to keep it.
 */
import type { AttemptKey } from './event.ts';
import type { Instance, Run, Step } from './run.ts';
import { stepOf } from './turn.ts';

/** In bytes; null: as much as there is. */
export function memoryOf(run: Run, key: AttemptKey): number | null {
  const step = stepOf(run, key);
  const instance = step.instances?.[key.index];
  return instance === undefined ? null : memoryOfAttempt(step, instance, key.attempt);
}

/** The limit that it may grow to, where the last attempt of `instance` had that much already; else null. */
export function memoryReached(step: Step, instance: Instance): number | null {
  const limitBytes = step.definition.memory?.growth?.limitBytes ?? null;
  return limitBytes !== null && memoryOfAttempt(step, instance, instance.attempts.length) === limitBytes
    ? limitBytes
    : null;
}

export function memoryOfAttempt({ definition }: Step, { attempts }: Instance, attempt: number): number | null {
  const { memory } = definition;
  if (memory === undefined) return null;
  const { bytes, growth } = memory;
  if (growth === undefined) return bytes;
  const times = attempts.slice(0, attempt - 1).filter(({ outcome }) => {
    return outcome?.kind === 'failed' && outcome.cause === 'out-of-memory';
  }).length;
  return Math.min(Math.floor(bytes * growth.factor ** times), growth.limitBytes);
}
