/** What a step waits for, in words: `waits for daily-features of 2026-11-24; looked 14 times, last 12 s ago: …`. */
import { lookAwaited } from '../../engine/engine.ts';
import type { Run, Step } from '../../engine/run.ts';
import { formatDuration } from '../../std/duration.ts';
import { awaitedBy } from './awaited.ts';
import type { Waiting } from './waits.ts';

/** As the run alone tells it, of the first instance that waits; null: none of the step does. */
export function waitText(run: Run, step: Step): string | null {
  const waiting = step.instances?.find((instance) => instance.state === 'deferred' && instance.wait !== null);
  const look = waiting === undefined ? null : lookAwaited(run, { step: step.definition.name, index: waiting.index });
  if (look === null) return null;
  const awaited = awaitedBy(run, look);
  return awaited.ok ? `waits for ${awaited.value.what}` : null;
}

/** With what the server that looks for it has seen; null: none of these waits. */
export function waitingText(waiting: readonly Waiting[], now: number): string | null {
  const [first] = waiting;
  if (first === undefined) return null;
  const { what, looks, lastAt, reason } = first;
  if (lastAt === null) return `waits for ${what}`;
  const times = looks === 1 ? 'looked once' : `looked ${looks} times, last`;
  const seen = reason === null ? '' : `: ${reason}`;
  return `waits for ${what}; ${times} ${formatDuration(Math.max(0, now - lastAt))} ago${seen}`;
}
