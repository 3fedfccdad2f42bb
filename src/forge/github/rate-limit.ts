/**
 * How fast an installation may speak. GitHub blocks whoever writes too much and then loses the final status of a build,
 * so we stay below its limits on our side and stop altogether until the time that it names. Nothing here waits: a call
 * that may not go is answered with the time at which it may, and the outbox tries again.
 */
import type { Clock } from '../../std/clock.ts';

export const rateLimits = {
  /** GitHub: 80. */
  writesPerMinuteMax: 60,
  /** GitHub: 500. */
  writesPerHourMax: 400,
  /** Of GitHub's points: a read costs 1, a write 5. */
  pointsPerMinuteMax: 900,
  readPoints: 1,
  writePoints: 5,
  /** Where GitHub refuses and names no time; doubled each time in a row. */
  firstPauseMs: 60_000,
  /** The longest pause that is believed. */
  pauseMsMax: 3_600_000,
} as const;

const minuteMs = 60_000;
const hourMs = 3_600_000;

export interface RateLimiter {
  /** Null: go, it is counted. Else the time at which to ask again. */
  take(kind: 'read' | 'write'): number | null;
  /** GitHub refused: nothing goes until `pauseMs` from now, or a growing pause where it named none. Gives the time. */
  refused(pauseMs: number | null): number;
  /** GitHub answered: the next unnamed pause is short again. */
  answered(): void;
}

/** One per installation or token: forges of several repositories share it. */
export function createRateLimiter(clock: Clock): RateLimiter {
  let calls: { readonly at: number; readonly write: boolean; readonly points: number }[] = [];
  let closedUntil = 0;
  let refusals = 0;

  return {
    take(kind) {
      const now = clock.now();
      // A clock that was set back must neither close the door for long nor forget what was sent.
      if (closedUntil - now > rateLimits.pauseMsMax) closedUntil = now + rateLimits.pauseMsMax;
      calls = calls
        .map((call) => (call.at > now ? { ...call, at: now } : call))
        .filter((call) => call.at > now - hourMs && (call.write || call.at > now - minuteMs));
      const write = kind === 'write';
      const points = write ? rateLimits.writePoints : rateLimits.readPoints;
      const times = [
        closedUntil,
        freeAt(calls, minuteMs, now, rateLimits.pointsPerMinuteMax - points, (call) => call.points),
        ...(write
          ? [
              freeAt(calls, minuteMs, now, rateLimits.writesPerMinuteMax - 1, (call) => Number(call.write)),
              freeAt(calls, hourMs, now, rateLimits.writesPerHourMax - 1, (call) => Number(call.write)),
            ]
          : []),
      ];
      const earliest = Math.max(...times);
      if (earliest > now) return earliest;
      calls.push({ at: now, write, points });
      return null;
    },
    refused(pauseMs) {
      const own = rateLimits.firstPauseMs * 2 ** Math.min(refusals, 10);
      refusals += 1;
      closedUntil = Math.max(
        closedUntil,
        clock.now() + Math.min(Math.max(pauseMs ?? own, 1000), rateLimits.pauseMsMax),
      );
      return closedUntil;
    },
    answered() {
      refusals = 0;
    },
  };
}

/** When the cost of the calls in the window has fallen to `room`: 0 where it is so already. Calls stand in order of time. */
function freeAt<T extends { readonly at: number }>(
  calls: readonly T[],
  windowMs: number,
  now: number,
  room: number,
  cost: (call: T) => number,
): number {
  const inside = calls.filter((call) => call.at > now - windowMs);
  let over = inside.reduce((sum, call) => sum + cost(call), 0) - room;
  for (const call of inside) {
    if (over <= 0) return 0;
    over -= cost(call);
    if (over <= 0) return call.at + windowMs;
  }
  return 0;
}

/**
 * The pause that a refusal asks for: `retry-after` in seconds or as a date, else `x-ratelimit-reset` where nothing is left,
 * else null. Dates are read against GitHub's own `date`, so that a wrong clock here does not matter.
 */
export function namedPauseMs(headers: Headers, now: number): number | null {
  const retryAfter = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const theirNow = Date.parse(headers.get('date') ?? '');
  const reference = Number.isNaN(theirNow) ? now : theirNow;
  const retryDate = Date.parse(retryAfter);
  if (!Number.isNaN(retryDate)) return Math.max(0, retryDate - reference);
  const reset = headers.get('x-ratelimit-reset')?.trim() ?? '';
  if (headers.get('x-ratelimit-remaining') === '0' && /^\d+$/.test(reset))
    return Math.max(0, Number(reset) * 1000 - reference);
  return null;
}
