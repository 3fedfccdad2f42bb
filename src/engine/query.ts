/** What can be read off a run without deciding anything. */
import { firstDue } from './agenda.ts';
import { deadlineAt, timeoutAt } from './ending.ts';
import type { AttemptKey } from './event.ts';
import type { Run } from './run.ts';

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
  return [...run.active].map(([instance, { definition }]) => ({
    step: definition.name,
    index: instance.index,
    attempt: instance.attempts.length,
    graceMs: definition.graceMs,
  }));
}

/** What has to be stopped because the run is cancelled or over its time limit. The same until each has reported. */
export function attemptsToStop(run: Run): AttemptToStop[] {
  const { stopping } = run;
  if (stopping === null) return [];
  return unfinishedAttempts(run).map((placed) => ({ ...placed, cause: stopping.cause }));
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
 * the deadline.
 */
export function nextWakeAt(run: Run): number | null {
  if (run.state !== 'running') return null;
  const times = [firstDue(run)?.dueAt ?? null, timeoutAt(run), deadlineAt(run)].filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}
