/** The intervals of a past range that a backfill runs, as data: the dry run shows the same list that the real one opens. */
import { failure, success, type Result } from '../std/result.ts';
import { firingsBetween, intervalOf, nextFiring, type Interval } from './firing.ts';
import type { Schedule } from './schedule.ts';

/** A year of days with room to spare: a longer range is several backfills. */
const backfillIntervalsMax = 1000;

export interface BackfillRange {
  /** Logical dates (starts of intervals), both included; milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly newestFirst: boolean;
}

/** The schedule's intervals whose logical date lies in the range; the error is a sentence. */
export function planBackfill(schedule: Schedule, range: BackfillRange): Result<readonly Interval[], string> {
  const { from, to, newestFirst } = range;
  if (!(from <= to)) return failure('the backfill ends before it begins: "from" must not be after "to"');
  const starts = firingsBetween(schedule, from, to + 1, backfillIntervalsMax + 1);
  if (starts.length > backfillIntervalsMax) {
    return failure(`the backfill has more than ${backfillIntervalsMax} intervals: choose a shorter range`);
  }
  const lastStart = starts.at(-1);
  const lastEnd = lastStart === undefined ? null : nextFiring(schedule, lastStart);
  const ends = [...starts.slice(1), ...(lastEnd === null ? [] : [lastEnd])];
  const intervals = ends.map((end) => intervalOf(schedule, end));
  return success(newestFirst ? intervals.toReversed() : intervals);
}
