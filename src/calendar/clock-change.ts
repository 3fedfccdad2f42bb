/**
 * What a change of the clocks does to one firing, in a sentence for people who read tomorrow's firings today: "why at
 * 03:00, when I wrote 02:30?"
 */
import type { Schedule } from './schedule.ts';
import { previousFiring } from './firing.ts';
import { firstMatch, lastMatch } from './search.ts';
import { formatTimeOfDay, formatWallClock, pieceAt, type ZonePiece } from './zone.ts';

export interface ClockChange {
  /**
   * `skipped`: its local time does not exist on that day, so it runs right after the gap. `repeated-once`: its local
   * time comes twice, it runs the first time only. `repeated-twice`: it runs by the clock, so at both times.
   * `left-out`: it runs by the clock, and between the firing before it and this one others would have been.
   */
  readonly kind: 'skipped' | 'repeated-once' | 'repeated-twice' | 'left-out';
  readonly sentence: string;
}

/** The oddity of the firing at `tick` (ms); null for the ordinary ones, and for ticks that the schedule does not have. */
export function clockChangeAt(schedule: Schedule, tick: number): ClockChange | null {
  const utc = tick / 1000;
  const piece = pieceAt(schedule.timeZone, utc);
  if (piece === null) return null;
  return skippedAt(schedule, utc, piece) ?? repeatedAt(schedule, utc, piece) ?? leftOutBefore(schedule, tick, piece);
}

function skippedAt(schedule: Schedule, utc: number, piece: ZonePiece): ClockChange | null {
  if (schedule.byTheClock || utc !== piece.start) return null;
  const gap = gapBefore(schedule, piece);
  if (gap === null) return null;
  const after = clockTime(gap.end);
  const isOne = gap.first === gap.last;
  const isDueItself = firstMatch(schedule.fields, gap.end, gap.end + 1) !== null;
  const what =
    isOne && !isDueItself
      ? 'it runs right after'
      : `${isOne ? 'it' : 'they'}${isDueItself ? ` and ${after}` : ''} are one firing`;
  return { kind: 'skipped', sentence: `${notThere(schedule, gap)}: ${what}, at ${after}.` };
}

/** By the clock: firings that fall into a gap are none. */
function leftOutBefore(schedule: Schedule, tick: number, pieceOfTick: ZonePiece): ClockChange | null {
  const before = schedule.byTheClock ? previousFiring(schedule, tick) : null;
  if (before === null) return null;
  let piece: ZonePiece | null = pieceOfTick;
  for (; piece !== null && piece.start * 1000 > before; piece = pieceAt(schedule.timeZone, piece.start - 1)) {
    const gap = gapBefore(schedule, piece);
    if (gap === null) continue;
    return { kind: 'left-out', sentence: `${notThere(schedule, gap)}: it runs by the clock, so not then.` };
  }
  return null;
}

/** Local times that the clocks jump over, with the first and last of them that the schedule has; null where it has none. */
interface Gap {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

function gapBefore({ fields }: Schedule, piece: ZonePiece): Gap | null {
  const [start, end] = [piece.start + piece.offsetBefore, piece.start + piece.offset];
  const [first, last] = [firstMatch(fields, start, end), lastMatch(fields, start, end)];
  return first === null || last === null ? null : { start, end, first, last };
}

function notThere({ timeZone, fields }: Schedule, { start, end, first, last }: Gap): string {
  const between = firstMatch(fields, first + 1, last) === null ? 'and' : 'to';
  const which = first === last ? 'does' : `${between} ${clockTime(last)} do`;
  return `${formatWallClock(first)} ${which} not exist in ${timeZone} (the clocks go forward from ${clockTime(start)} to ${clockTime(end)})`;
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
