/**
 * Looks of functions, in the warm processes of the runner: no attempts, so nothing of them is recorded, reported or found
 * again. A look has an id of its own, which its processes carry: what one left behind is ended without the next.
 */
import { randomUUID } from 'node:crypto';
import type { LookOutcome } from '../../engine/event.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { LookSpec } from '../executor.ts';
import { createAttemptControl, type AttemptControl } from './attempt-control.ts';
import { runAttempt } from './attempt.ts';
import { afterLong } from './long-timer.ts';
import { openLookLog } from './look-log.ts';
import type { AttemptEnd, AttemptServices } from './prepared-attempt.ts';

export interface Looks {
  look(spec: LookSpec, signal: AbortSignal): Promise<LookOutcome>;
  /** Ends those under way; resolves when nothing of them is left. */
  close(graceMs: number): Promise<void>;
}

/** Each has a process of its own while it looks. */
export const looksLimits = { atOnceMax: 4 } as const;

interface UnderWay {
  readonly control: AttemptControl;
  readonly end: Promise<AttemptEnd['outcome']>;
}

export function createLooks(services: AttemptServices): Looks {
  const underWay = new Map<string, UnderWay>();
  let closed = false;

  return {
    async look(spec, signal) {
      const { attemptId, graceMs } = spec;
      if (closed) throw new Error('the executor is closed');
      if (underWay.has(attemptId)) throw new Error(`a look of ${attemptId} is under way`);
      if (underWay.size >= looksLimits.atOnceMax) throw new Error(`${looksLimits.atOnceMax} looks are under way`);
      const control = createAttemptControl();
      const abort = (): void => control.stop('cancelled', graceMs);
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
      const end = lookOnce(spec, control, services);
      underWay.set(attemptId, { control, end });
      try {
        return outcomeOf(await end, control);
      } finally {
        underWay.delete(attemptId);
        signal.removeEventListener('abort', abort);
      }
    },
    async close(graceMs) {
      closed = true;
      const left = [...underWay.values()];
      for (const { control } of left) control.stop('server', graceMs);
      await Promise.allSettled(left.map(({ end }) => end));
    },
  };
}

async function lookOnce(
  spec: LookSpec,
  control: AttemptControl,
  services: AttemptServices,
): Promise<AttemptEnd['outcome']> {
  const { attemptId, timeoutMs, graceMs, number } = spec;
  const takeBack = afterLong(timeoutMs, () => control.stop('timeout', graceMs));
  let unwatch = (): void => undefined;
  const given = {
    spec: { ...spec, attemptId: `${attemptId}/${randomUUID()}`, outputs: {} },
    work: spec.work,
    openLog: openLookLog(() => services.logs.writer(attemptId), number),
  };
  try {
    const { outcome, clean } = await runAttempt(given, services, control, ({ pid }) => {
      unwatch = services.pulse.watch(pid, () => control.stop('stopped', 0));
    });
    await clean();
    return outcome;
  } finally {
    takeBack();
    unwatch();
  }
}

/** Throws where it was ended by those who do not ask any more: then nothing is known. */
function outcomeOf(outcome: AttemptEnd['outcome'], control: AttemptControl): LookOutcome {
  if (control.cause === 'cancelled' || control.cause === 'server') throw new Error('the look was ended');
  switch (outcome.kind) {
    case 'succeeded':
      return { kind: 'seen', output: outcome.output };
    case 'not-yet':
      return outcome;
    case 'failed':
      return { kind: 'failed', cause: outcome.cause, message: outcome.message };
    case 'skipped':
      return { kind: 'failed', cause: 'code', message: outcome.reason };
    default:
      return unreachable(outcome);
  }
}
