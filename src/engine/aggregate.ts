/** What the instances of a step add up to, from how many are in each state. */
import type { FinalStepState, StepState } from './event.ts';
import type { Instance, Step } from './run.ts';

/** A step with an instance in one of these has not ended; the first that occurs is its state. */
const unfinishedInOrder = [
  'running',
  'queued',
  'scheduled',
  'up_for_retry',
  'deferred',
  'none',
] as const satisfies readonly StepState[];

/** All have ended: a failure outranks everything, and one success makes up for skips. */
const finalInOrder = [
  'failed',
  'upstream_failed',
  'cancelled',
  'success',
  'skipped',
  'removed',
] as const satisfies readonly FinalStepState[];

/** Moves an instance to another state and its step along. */
export function moveTo(step: Step, instance: Instance, state: StepState): void {
  step.counts.set(instance.state, countOf(step, instance.state) - 1);
  step.counts.set(state, countOf(step, state) + 1);
  instance.state = state;
  const isPresent = (candidate: StepState): boolean => countOf(step, candidate) > 0;
  step.state = unfinishedInOrder.find(isPresent) ?? finalInOrder.find(isPresent) ?? 'none';
}

export function countOf(step: Step, state: StepState): number {
  return step.counts.get(state) ?? 0;
}
