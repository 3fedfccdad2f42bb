/** What can be read off a run without deciding anything. */
import { firstDue } from './agenda.ts';
import { stoppingOf } from './attempt.ts';
import { deadlineAt, finallyTimeoutAt, timeoutAt } from './ending.ts';
import type { AttemptKey } from './event.ts';
import type { Instance, Run, Step } from './run.ts';

/** An attempt that was started and has not reported its end: it may exist outside. */
export interface PlacedAttempt extends AttemptKey {
  /** How long it has between the warning and the end when it is stopped. */
  readonly graceMs: number;
}

export interface AttemptToStop extends PlacedAttempt {
  readonly cause: 'cancelled' | 'timeout';
}

/** After a restart: what an executor has to find again or prove gone. In the order in which they were started. */
export function unfinishedAttempts(run: Run): PlacedAttempt[] {
  return [...run.active].map(([instance, step]) => placedAttempt(instance, step));
}

function placedAttempt({ index, attempts }: Instance, { definition }: Step): PlacedAttempt {
  return { step: definition.name, index, attempt: attempts.length, graceMs: definition.graceMs };
}

/** What has to be stopped because the run is cancelled or over its time limit. The same until each has reported. */
export function attemptsToStop(run: Run): AttemptToStop[] {
  if (run.stopping === null) return [];
  return [...run.active].flatMap(([instance, step]) => {
    const stopping = stoppingOf(run, step);
    return stopping === null ? [] : [{ ...placedAttempt(instance, step), cause: stopping.cause }];
  });
}

/** A decision that a person is asked for. */
export interface AwaitedApproval {
  readonly step: string;
  readonly message: string | null;
  readonly requestedAt: number;
  /** When the step ends without a decision. */
  readonly dueAt: number;
}

/** In the order of the definition. */
export function approvalsAwaited(run: Run): AwaitedApproval[] {
  return [...run.steps.values()].flatMap(({ definition, state, instances }) => {
    const { approval = null, dueAt = null } = instances?.[0] ?? {};
    if (state !== 'deferred' || approval === null || dueAt === null) return [];
    return [{ step: definition.name, message: approval.message, requestedAt: approval.requestedAt, dueAt }];
  });
}

/**
 * When `proceed` has something to do though nothing is reported: a retry, the end of an approval, the time limit,
 * the deadline, the end of the time for finally-steps.
 */
export function nextWakeAt(run: Run): number | null {
  if (run.finishedAt !== null) return null;
  const limits = run.state === 'running' ? [timeoutAt(run), deadlineAt(run)] : [finallyTimeoutAt(run)];
  const times = [firstDue(run)?.dueAt ?? null, ...limits].filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}
