/** Warning and ending all that belongs to an attempt. */
import { formatDuration } from '../../std/duration.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { StopCause } from './attempt-control.ts';
import { outcomeOfStop } from './exit-outcome.ts';
import type { AttemptEnd, PreparedAttempt } from './prepared-attempt.ts';
import { attemptMark } from './marks.ts';
import { endMarked, findMarked, signalAll, signalOne, type ProcessMarks } from './processes.ts';
import type { MemoryLimit } from './usage.ts';

/** A process that the kernel does not let go (a dead network disk) keeps an attempt from ending no longer than this. */
const patienceMs = 60_000;

function marksOf(attemptId: string, pid: number): ProcessMarks {
  return { environment: [attemptMark(attemptId)], groups: new Set([pid]) };
}

/** SIGTERM to every process of the attempt, also to those that have left its group. */
export function warnAttempt(attempt: PreparedAttempt, pid: number, cause: StopCause, graceMs: number): void {
  const how = graceMs === 0 ? 'killed' : `warned with SIGTERM, and killed in ${formatDuration(graceMs)}`;
  attempt.log.say(`${reasonOf(cause)}: ${how}.`);
  const marked = findMarked(marksOf(attempt.spec.attemptId, pid));
  // The group at once, so that no fork escapes, and by name those who have left it.
  signalOne(-pid, 'SIGTERM');
  signalAll(
    marked.filter((one) => one.group !== pid),
    'SIGTERM',
  );
}

/** Resolves when nothing of it is left; false where something hangs in the kernel. */
export function endAttempt(attemptId: string, pid: number): Promise<boolean> {
  return endMarked(marksOf(attemptId, pid), patienceMs);
}

/** What it takes at most: seen with more, it is killed at once, since there is no room left to be graceful in. Null: no limit. */
export function memoryLimitOf({ spec, control }: PreparedAttempt): MemoryLimit | null {
  const { memoryBytes } = spec.context;
  return memoryBytes === null ? null : { bytes: memoryBytes, exceeded: () => control.stop('memory', 0) };
}

/** How an attempt ended that was told to; `usage`: what was seen of it. */
export function stopped(cause: StopCause, { spec }: PreparedAttempt, usage: AttemptEnd['usage']): AttemptEnd {
  const { timeoutMs, context } = spec;
  const memoryBytesMax = usage?.memoryBytesMax ?? null;
  return { outcome: outcomeOfStop(cause, { timeoutMs, memoryBytes: context.memoryBytes, memoryBytesMax }), usage };
}

export function reasonOf(cause: StopCause): string {
  switch (cause) {
    case 'timeout':
      return 'The timeout is over';
    case 'cancelled':
      return 'Cancelled';
    case 'server':
      return 'The server stops';
    case 'memory':
      return 'It takes more memory than it may';
    case 'stopped':
      return 'Its process was stopped from outside and does not go on';
    default:
      return unreachable(cause);
  }
}
