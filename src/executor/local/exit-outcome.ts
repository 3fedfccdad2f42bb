/** What the end of a process means. */
import { readFileSync } from 'node:fs';
import { formatBytes } from '../../std/bytes.ts';
import { formatDuration } from '../../std/duration.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { AttemptOutcome } from '../../engine/event.ts';
import type { StopCause } from './attempt-control.ts';

/** A command that ends with this code says that there was nothing to do: the step is skipped. */
export const skipExitCode = 99;
/** One that ends with this code says that another try would fail as well. */
export const nonRetryableExitCode = 98;

export interface CommandExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ExitEvidence extends CommandExit {
  /** The last line of standard error, masked; null where it had none. */
  readonly lastError: string | null;
  /** Standard error ends with V8's word that it is. */
  readonly heapIsFull: boolean;
  /** Standard error ends with an error of memory: the line that says so; else null. */
  readonly memoryError: string | null;
  /** What the heap was made for; null: nothing was said about it. */
  readonly memoryBytes: number | null;
  /** The kernel ended a process for want of memory while the attempt ran. */
  readonly kernelRanOutOfMemory: boolean;
}

/** The outcome of a process that did not end with code 0 and was not stopped by us. */
export function outcomeOfExit(exit: ExitEvidence): AttemptOutcome {
  const { code, signal } = exit;
  const because = exit.lastError === null ? '' : `: ${exit.lastError.slice(0, 300)}`;
  if (code === skipExitCode)
    return { kind: 'skipped', reason: `the command ended with code ${skipExitCode}${because}` };
  if (code === nonRetryableExitCode) return failed('non-retryable', `exit code ${code}${because}`, code);
  const wasKilled = signal === 'SIGKILL' || code === 137;
  if (wasKilled && exit.kernelRanOutOfMemory)
    return failed('out-of-memory', 'the kernel ended it (SIGKILL) because the memory ran out', 137);
  if (exit.heapIsFull && (signal === 'SIGABRT' || code === 134)) {
    const may = exit.memoryBytes === null ? '' : `, and it may take ${formatBytes(exit.memoryBytes)}: ${moreMemory}`;
    return failed('out-of-memory', `JavaScript's heap ran out of memory${may}`, 134);
  }
  if (code !== null && exit.memoryError !== null)
    return failed('out-of-memory', `exit code ${code}: ${exit.memoryError.slice(0, 300)}`, code);
  if (code !== null) return failed('code', `exit code ${code}${because}`, code);
  if (signal !== null && fromOutside.has(signal))
    return failed('lost', `somebody ended it from outside with ${signal}`, null);
  return failed('code', `it crashed with ${signal ?? 'an unknown signal'}${because}`, null);
}

/** What no fault of the program raises. */
const fromOutside: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

const moreMemory = 'raise `memory` or `memoryGrowth` of the step';

export interface Taken {
  readonly timeoutMs: number;
  /** Null: there is no limit. */
  readonly memoryBytes: number | null;
  /** As far as it was looked; null: not at all. */
  readonly memoryBytesMax: number | null;
}

/** The outcome of an attempt that we ended. */
export function outcomeOfStop(cause: StopCause, { timeoutMs, memoryBytes, memoryBytesMax }: Taken): AttemptOutcome {
  switch (cause) {
    case 'cancelled':
      return failed('cancelled', 'it was cancelled', null);
    case 'timeout':
      return failed('timeout', `it ran longer than its timeout of ${formatDuration(timeoutMs)}`, null);
    case 'memory': {
      const [took, may] = [memoryBytesMax, memoryBytes].map((bytes) => formatBytes(bytes ?? 0));
      return failed('out-of-memory', `it took ${took} of memory, and may take ${may}: ${moreMemory}`, null);
    }
    case 'server':
      return failed('shutdown', 'the server was stopped while it ran', null);
    case 'stopped':
      return failed('lost', 'something stopped its process (SIGSTOP) and did not let it go on', null);
    default:
      return unreachable(cause);
  }
}

/** How many processes the kernel has ended for want of memory since the boot; 0 where it does not say. */
export function kernelMemoryKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const recentMs = 1000;
let recent = { kills: 0, at: Number.NEGATIVE_INFINITY };

/** As they were at most a second ago: asking the kernel takes as long as all else before a short step. */
export function recentMemoryKills(): number {
  const at = performance.now();
  if (at - recent.at > recentMs) recent = { kills: kernelMemoryKills(), at };
  return recent.kills;
}

function failed(
  cause: Extract<AttemptOutcome, { kind: 'failed' }>['cause'],
  message: string,
  exitCode: number | null,
): AttemptOutcome {
  return { kind: 'failed', cause, message, exitCode };
}
