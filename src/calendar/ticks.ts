/**
 * What to do about the ticks that have come due since the last one on record. Each of them is decided exactly once:
 * it runs, or it is recorded as missed with the reason. The caller stores the decisions under the unique key
 * (schedule, tick) and asks again from the last of them, so a long list may be handed out in pages.
 */
import { formatDuration } from '../std/duration.ts';
import { nextFiring, previousFiring } from './firing.ts';
import type { Schedule } from './schedule.ts';

/** What happens to ticks that nobody was there to see: none of them runs, only the latest, or all up to the cap. */
export type CatchupPolicy = 'none' | 'latest' | 'all';

/** More than this many runs are never started at once, so that coming back after a week starts no storm. */
const catchupRunsMax = 10;
/** A tick is on time up to this late: servers look at the clock once a minute at least. */
const onTimeWithinMs = 60_000;
/** Decisions handed out at once. */
export const ticksPerPageMax = 1000;

export interface TickDecision {
  /** Milliseconds. */
  readonly tick: number;
  readonly decision: 'run' | 'missed';
  readonly lateByMs: number;
  /** One phrase for the record: `on time`, `late by 3 h 2 min: …`. */
  readonly reason: string;
}

export interface TicksDue {
  readonly schedule: Schedule;
  /** The last tick on record, or the moment from which the schedule counts; milliseconds. */
  readonly lastRecorded: number;
  readonly now: number;
  readonly catchup: CatchupPolicy;
  /**
   * Since when somebody has been there and could not keep a decision, milliseconds; null: nothing is in the way. A tick
   * that was on time then, or came due since, runs under any policy.
   */
  readonly heldUpSince: number | null;
  /** Whether the run of a later tick ends that of an earlier one: of those that are due together only the latest runs. */
  readonly replaces: boolean;
}

/**
 * A decision for each tick after `lastRecorded` up to `now`, the earliest first, at most 1000 of them. A tick on time,
 * and one that was held up, runs under any policy; of those that run at once, only the ten latest are let through.
 */
export function decideTicks(due: TicksDue): readonly TickDecision[] {
  const { schedule, lastRecorded, now } = due;
  const latest = latestDue(schedule, lastRecorded, now);
  if (latest.length === 0) return [];
  const decisions: TickDecision[] = [];
  let tick = nextFiring(schedule, lastRecorded);
  while (tick !== null && tick <= now && decisions.length < ticksPerPageMax) {
    decisions.push(decideTick(tick, due, latest));
    tick = nextFiring(schedule, tick);
  }
  return decisions;
}

/** The ten latest of the ticks that are due, the latest first: known without counting those before them. */
function latestDue(schedule: Schedule, lastRecorded: number, now: number): readonly number[] {
  const latest: number[] = [];
  let tick = previousFiring(schedule, now + 1);
  while (tick !== null && tick > lastRecorded && latest.length < catchupRunsMax) {
    latest.push(tick);
    tick = previousFiring(schedule, tick);
  }
  return latest;
}

function decideTick(tick: number, due: TicksDue, latest: readonly number[]): TickDecision {
  const { now, catchup, heldUpSince, replaces } = due;
  const lateByMs = now - tick;
  const late = `late by ${formatDuration(lateByMs)}`;
  const decide = (decision: 'run' | 'missed', reason: string): TickDecision => ({ tick, decision, lateByMs, reason });
  const onTime = lateByMs <= onTimeWithinMs;
  const heldUp = !onTime && heldUpSince !== null && heldUpSince - tick <= onTimeWithinMs;
  const isAwaited = onTime || heldUp;
  if (!isAwaited && catchup === 'none') return decide('missed', `${late}: catch-up is off`);
  if (!isAwaited && catchup === 'latest' && tick !== latest[0]) {
    return decide('missed', `${late}: catch-up runs only the latest tick`);
  }
  if (replaces && tick !== latest[0])
    return decide('missed', `${late}: a later tick is due as well, and its run would replace this one`);
  if (!latest.includes(tick)) {
    return decide('missed', `${late}: at most ${catchupRunsMax} ticks run at once, the latest ones`);
  }
  if (heldUp) return decide('run', `${late}: it could not be kept sooner`);
  return decide('run', onTime ? 'on time' : `${late}: caught up`);
}
