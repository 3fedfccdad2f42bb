/**
 * A step that waits for something: a file, an address, an object, another pipeline, or what a function says. No attempt
 * is made, no slot is held, and what is not there yet is nobody's event: whoever carries the run out looks every
 * `intervalMs` and reports what decides. The last look is at the very end of its time.
 *
 *   none ─► deferred ─► success (it is there)
 *            ▲   ├───► failed, skipped (out of time, or it never can be), cancelled
 *            │   ▼
 *         up_for_retry (the function failed, and the step has retries for that)
 */
import type { WaitWork, Work } from '../pipeline/definition.ts';
import { formatDuration } from '../std/duration.ts';
import { unreachable } from '../std/unreachable.ts';
import { budgetOf, retryAfterMs } from './back-off.ts';
import { engineLimits, type AttemptKey, type LookFailure, type LookOutcome } from './event.ts';
import type { Instance, Run, Step } from './run.ts';
import { finish, planRetry, record, stepOf, type Turn } from './turn.ts';

/** Of one look of a function. */
export function lookTimeoutMs({ timeoutMs }: WaitWork): number {
  return Math.min(timeoutMs, engineLimits.lookMsMax);
}

/** Whether there is a log of what its looks printed, which has the key of a first attempt. */
export function hasLookLog(work: Work, { wait }: Instance): boolean {
  return work.kind === 'wait' && work.for.condition === 'function' && wait !== null;
}

/** After a look that failed it is out of time when it would have been. */
export function beginWait(turn: Turn, step: Step, index: number, work: WaitWork): void {
  const { name } = step.definition;
  const since = step.instances?.[index]?.wait?.since ?? turn.at;
  record(turn, { type: 'wait-begun', at: turn.at, step: name, index, dueAt: since + work.timeoutMs });
}

/** Counts for what waits; whatever comes when it has ended changes nothing. */
export function reportLook(turn: Turn, { step: name, index }: Omit<AttemptKey, 'attempt'>, outcome: LookOutcome): void {
  const step = stepOf(turn.run, { step: name });
  const { work } = step.definition;
  const instance = step.instances?.[index];
  if (work.kind !== 'wait' || instance?.state !== 'deferred') return;
  switch (outcome.kind) {
    case 'seen':
      record(turn, { type: 'wait-seen', at: turn.at, step: name, index, output: outcome.output });
      return finish(turn, step, index, 'success');
    case 'not-yet':
      if (turn.at < (instance.dueAt ?? 0)) return;
      return endInVain(turn, step, instance, work, `still ${outcome.reason}`);
    case 'impossible':
      return finish(turn, step, index, 'failed', outcome.reason);
    case 'ended-otherwise':
      return finish(turn, step, index, work.softFail ? 'skipped' : 'failed', outcome.reason);
    case 'failed':
      return failLook(turn, step, instance, work, outcome);
    default:
      return unreachable(outcome);
  }
}

/** What another look cannot change fails; all else is looked for again while there are retries and time. */
function failLook(turn: Turn, step: Step, instance: Instance, work: WaitWork, { cause, message }: LookFailure): void {
  const { index } = instance;
  const endsAt = instance.dueAt ?? 0;
  record(turn, { type: 'look-failed', at: turn.at, step: step.definition.name, index, cause, message });
  if (budgetOf(cause) !== 'none' && turn.at >= endsAt)
    return endInVain(turn, step, instance, work, `the last look failed: ${message}`);
  const delayMs = retryAfterMs(turn.run, step, instance, cause);
  if (delayMs === null) return finish(turn, step, index, 'failed', message);
  planRetry(turn, step, instance, Math.min(turn.at + delayMs, endsAt));
}

function endInVain(turn: Turn, step: Step, { index }: Instance, work: WaitWork, why: string): void {
  const reason = `timeout: waited ${formatDuration(work.timeoutMs)}, and ${why}`;
  finish(turn, step, index, work.softFail ? 'skipped' : 'failed', reason);
}

/** An instance that is to be looked for. */
export interface AwaitedLook {
  readonly step: Step;
  readonly work: WaitWork;
  readonly instance: Instance;
  readonly since: number;
  /** When its time is over. */
  readonly until: number;
}

/** In the order of the definition. */
export function looksAwaited(run: Run): AwaitedLook[] {
  return [...run.steps.values()].flatMap((step) =>
    step.definition.work.kind === 'wait'
      ? (step.instances ?? []).flatMap((instance) => awaited(step, instance) ?? [])
      : [],
  );
}

/** Null where that instance waits no more, or not yet. */
export function lookAwaited(run: Run, { step: name, index }: Omit<AttemptKey, 'attempt'>): AwaitedLook | null {
  const step = run.steps.get(name);
  const instance = step?.instances?.[index];
  return step === undefined || instance === undefined ? null : awaited(step, instance);
}

function awaited(step: Step, instance: Instance): AwaitedLook | null {
  const { work } = step.definition;
  const { state, wait, dueAt } = instance;
  if (work.kind !== 'wait' || state !== 'deferred' || wait === null || dueAt === null) return null;
  return { step, work, instance, since: wait.since, until: dueAt };
}
