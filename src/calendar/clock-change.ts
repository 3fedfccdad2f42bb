/**
 * What a change of the clocks does to one firing, in a sentence for people who read tomorrow's firings today: "why at
 * 03:00, when I wrote 02:30?"
 */
import type { Schedule } from './schedule.ts';
import { lastMatch } from './search.ts';
import { formatTimeOfDay, formatWallClock, pieceAt, type ZonePiece } from './zone.ts';

export interface ClockChange {
  /**
   * `skipped`: its local time does not exist on that day, so it runs right after the gap. `repeated-once`: its local
   * time comes twice, it runs the first time only. `repeated-twice`: it runs by the clock, so at both times.
   */
  readonly kind: 'skipped' | 'repeated-once' | 'repeated-twice';
  readonly sentence: string;
}

/** The oddity of the firing at `tick` (ms); null for the ordinary ones, and for ticks that the schedule does not have. */
export function clockChangeAt(schedule: Schedule, tick: number): ClockChange | null {
  const utc = tick / 1000;
  const piece = pieceAt(schedule.timeZone, utc);
  if (piece === null) return null;
  return skippedAt(schedule, utc, piece) ?? repeatedAt(schedule, utc, piece);
}

function skippedAt(schedule: Schedule, utc: number, piece: ZonePiece): ClockChange | null {
  if (schedule.byTheClock || utc !== piece.start || piece.offset <= piece.offsetBefore) return null;
  const [gapStart, gapEnd] = [piece.start + piece.offsetBefore, piece.start + piece.offset];
  const skipped = lastMatch(schedule.fields, gapStart, gapEnd);
  if (skipped === null) return null;
  const sentence = `${formatWallClock(skipped)} does not exist in ${schedule.timeZone} (the clocks go forward from ${clockTime(gapStart)} to ${clockTime(gapEnd)}): it runs right after, at ${clockTime(gapEnd)}.`;
  return { kind: 'skipped', sentence };
}

function repeatedAt(schedule: Schedule, utc: number, piece: ZonePiece): ClockChange | null {
  const local = utc + piece.offset;
  const next = pieceAt(schedule.timeZone, piece.end);
  const comesAgain = next !== null && local >= next.start + next.offset;
  const cameBefore = local < piece.start + piece.offsetBefore;
  if (!comesAgain && !cameBefore) return null;
  const twice = `${formatWallClock(local)} comes twice in ${schedule.timeZone} (the clocks go back)`;
  if (schedule.byTheClock) {
    const which = comesAgain ? 'first' : 'second';
    return { kind: 'repeated-twice', sentence: `${twice}: it runs by the clock, so both times; this is the ${which}.` };
  }
  return { kind: 'repeated-once', sentence: `${twice}: it runs once, the first time.` };
}

function clockTime(local: number): string {
  return formatTimeOfDay(((local % 86_400) + 86_400) % 86_400);
}
