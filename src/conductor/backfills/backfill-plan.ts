/**
 * Which of the intervals of some past days a backfill runs, and why not the others. The same answer is given before
 * (`--dry-run`), when the backfill is made, and again when the turn of an interval has come.
 */
import { parseSchedule, planBackfill } from '../../calendar/calendar.ts';
import { firstTriggerOf, type FirstTrigger } from '../../engine/event.ts';
import type { Journal, Reprocess, RunRow } from '../../journal/journal.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { unreachable } from '../../std/unreachable.ts';

export interface BackfillDays {
  /** Midnights of UTC, in milliseconds: the first and the last day of the logical dates. */
  readonly fromDay: number;
  readonly toDay: number;
  readonly newestFirst: boolean;
  readonly reprocess: Reprocess;
}

export interface PlannedInterval {
  readonly logicalDate: number;
  readonly intervalEnd: number;
  /** Why it gets no run; null where it gets one. */
  readonly skipped: string | null;
}

const dayMs = 86_400_000;

/** The error is a sentence. */
export async function planIntervals(
  journal: Journal,
  repository: string,
  definition: PipelineDefinition,
  days: BackfillDays,
  now: number,
): Promise<Result<readonly PlannedInterval[], string>> {
  const { name: pipeline, on } = definition;
  if (on.schedule === null) return failure(`${pipeline} has no schedule, so there are no intervals to run it for`);
  const schedule = parseSchedule(on.schedule.cron, on.schedule.timeZone);
  if (!schedule.ok) return schedule;
  const range = { from: days.fromDay, to: days.toDay + dayMs - 1 };
  const planned = planBackfill(schedule.value, { ...range, newestFirst: days.newestFirst });
  if (!planned.ok) return planned;
  const runs = await journal.runsOfDates(repository, pipeline, range);
  const byDate = Map.groupBy(runs, ({ opened }) => opened.logicalDate);
  return success(
    planned.value.map(({ start, end }) => ({
      logicalDate: start,
      intervalEnd: end,
      // The schedule runs it when it is time.
      skipped: end > now ? 'it has not ended yet' : skipReason(byDate.get(start) ?? [], days.reprocess),
    })),
  );
}

/** Why a date gets no run, by the runs that there are for it, in their order; null where it gets one. */
export function skipReason(runs: readonly RunRow[], reprocess: Reprocess): string | null {
  const ofDate = runs.filter(({ opened }) => isForDate(firstTriggerOf(opened.trigger)));
  const underWay = ofDate.find(({ finishedAt }) => finishedAt === null);
  if (underWay !== undefined) return `run ${underWay.number} is under way for it`;
  const latest = ofDate.at(-1);
  if (latest === undefined) return null;
  const { number, state } = latest;
  switch (reprocess) {
    case 'none':
      return `run ${number} was for it: ${state}`;
    case 'failed':
      return state === 'success' ? `run ${number} was for it: ${state}` : null;
    case 'completed':
      return null;
    default:
      return unreachable(reprocess);
  }
}

function isForDate({ kind }: FirstTrigger): boolean {
  return kind === 'schedule' || kind === 'backfill';
}
