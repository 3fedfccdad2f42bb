/**
 * When a schedule fires. The zone is walked piece by piece (`zone.ts`); each piece owns a stretch of local time:
 *
 *     fixed times     from where the clock stood when the piece began, by the old offset, to its end by its own.
 *                     After a gap the stretch begins inside the gap: what falls there runs right after, at the piece's
 *                     start. After a repeat it begins where the repeat ends: nothing runs twice. The stretches of all
 *                     pieces tile the calendar, so each local time fires exactly once.
 *     by the clock    what the clock really shows during the piece: nothing in a gap, both times in a repeat.
 */
import type { Schedule } from './schedule.ts';
import { firstMatch, lastMatch } from './search.ts';
import { pieceAt, type ZonePiece } from './zone.ts';

/** A Sunday 29 February can be 40 years away (2072 to 2112 has no year 2100): past that nothing comes any more. */
const horizonSeconds = 41 * 366 * 86_400;

/** From the start of the interval (the logical date, as in Airflow) to the tick that ends it; milliseconds. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** The first firing strictly after `afterMs`; null where there is none within 41 years. */
export function nextFiring(schedule: Schedule, afterMs: number): number | null {
  const from = Math.floor(afterMs / 1000) + 1;
  let piece = pieceAt(schedule.timeZone, from);
  while (piece !== null && piece.start < from + horizonSeconds) {
    const start = localStart(schedule, piece);
    const low = from <= piece.start ? start : Math.max(start, from + piece.offset);
    const local = firstMatch(schedule.fields, low, piece.end + piece.offset);
    if (local !== null) return toInstant(local, piece);
    piece = pieceAt(schedule.timeZone, piece.end);
  }
  return null;
}

/** The last firing strictly before `beforeMs`; null where there is none within 41 years. */
export function previousFiring(schedule: Schedule, beforeMs: number): number | null {
  const until = Math.ceil(beforeMs / 1000) - 1;
  let piece = pieceAt(schedule.timeZone, until);
  while (piece !== null && piece.end > until - horizonSeconds) {
    const high = Math.min(piece.end, until + 1) + piece.offset;
    const local = lastMatch(schedule.fields, localStart(schedule, piece), high);
    if (local !== null) return toInstant(local, piece);
    piece = pieceAt(schedule.timeZone, piece.start - 1);
  }
  return null;
}

/** The firings at or after `fromMs` and before `toMs`, the earliest first, at most `max` of them. */
export function firingsBetween(schedule: Schedule, fromMs: number, toMs: number, max: number): readonly number[] {
  const firings: number[] = [];
  let firing = nextFiring(schedule, fromMs - 1);
  while (firing !== null && firing < toMs && firings.length < max) {
    firings.push(firing);
    firing = nextFiring(schedule, firing);
  }
  return firings;
}

/** The interval that ends at `tick`. The first firing that can be known has an empty one. */
export function intervalOf(schedule: Schedule, tick: number): Interval {
  return { start: previousFiring(schedule, tick) ?? tick, end: tick };
}

function localStart(schedule: Schedule, piece: ZonePiece): number {
  return piece.start + (schedule.byTheClock ? piece.offset : piece.offsetBefore);
}

function toInstant(local: number, piece: ZonePiece): number {
  return Math.max(local - piece.offset, piece.start) * 1000;
}
