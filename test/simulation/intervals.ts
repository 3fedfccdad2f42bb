/** The intervals of a backfill, by what was kept: which there are, in which order they are decided, and whether each gets a run. */
import { firstTriggerOf } from '../../src/engine/event.ts';
import type { BackfillOptions, Reprocess, Write } from '../../src/journal/journal.ts';
import type { KeptRun } from './history.ts';

type Planned = Extract<Write, { write: 'backfill' }>;
type Decided = Extract<Write, { write: 'backfill-interval' }>;
export type KeptInterval = Planned['intervals'][number];

const dayMs = 86_400_000;

interface Kept {
  readonly runs: ReadonlyMap<string, KeptRun>;
  /** Whoever decided has seen what was so before then, and nothing older. */
  readonly seenBy: number;
}

/** Null: nothing is wrong with it. */
export function wrongPlan({ backfill, intervals }: Planned, kept: Kept): string | null {
  const { id, pipeline, options, at } = backfill;
  const { from, to, newestFirst, reprocess } = options;
  const inOrder = newestFirst ? intervals.toReversed() : intervals;
  const isRow = inOrder.every(({ logicalDate, intervalEnd }, place) => {
    const next = inOrder[place + 1];
    return logicalDate < intervalEnd && (next === undefined || next.logicalDate === intervalEnd);
  });
  if (!isRow) return `the intervals of ${id} do not follow each other`;
  if (intervals.some(({ logicalDate }) => logicalDate < from || logicalDate >= to + dayMs))
    return `${id} has intervals of other days`;
  const wrong = intervals.find(({ logicalDate, intervalEnd, skipped }) => {
    const mayBeSkipped = intervalEnd > at || !mustRun(runsOf(pipeline, logicalDate, kept), reprocess, kept.seenBy);
    return skipped !== null && !mayBeSkipped;
  });
  return wrong === undefined ? null : `${id} skips ${dayOf(wrong)}: ${wrong.skipped}`;
}

/** Null: nothing is wrong with it. `waiting`: positions of those that nobody has decided on, this one among them. */
export function wrongDecision(
  { id, position, decision, reason, runId }: Decided,
  backfill: {
    readonly pipeline: string;
    readonly options: BackfillOptions;
    readonly intervals: readonly KeptInterval[];
    readonly waiting: ReadonlySet<number>;
  },
  kept: Kept,
): string | null {
  const { pipeline, options, intervals, waiting } = backfill;
  const interval = intervals[position];
  if (interval === undefined) return `${id} has no interval ${position}`;
  const name = `${dayOf(interval)} of ${id}`;
  if (Math.min(...waiting) !== position) return `${name} came before its turn`;
  const runs = runsOf(pipeline, interval.logicalDate, kept).filter(({ opened }) => opened.runId !== runId);
  if (decision === 'skipped')
    return mustRun(runs, options.reprocess, kept.seenBy) ? `${name} was skipped: ${reason}` : null;
  const opened = kept.runs.get(runId ?? '')?.opened;
  if (opened?.logicalDate !== interval.logicalDate || opened.dataIntervalEnd !== interval.intervalEnd)
    return `the run of ${name} is for another interval`;
  return mustNotRun(runs, options.reprocess, kept.seenBy) ? `${name} was run though it had been` : null;
}

function runsOf(pipeline: string, logicalDate: number, { runs }: Kept): readonly KeptRun[] {
  return [...runs.values()].filter(({ opened }) => {
    const { kind } = firstTriggerOf(opened.trigger);
    const isForDate = kind === 'schedule' || kind === 'backfill';
    return isForDate && opened.pipeline === pipeline && opened.logicalDate === logicalDate;
  });
}

/** Whoever decided cannot have seen, of the runs that there were for the date, one that keeps it from a run. */
function mustRun(runs: readonly KeptRun[], reprocess: Reprocess, seenBy: number): boolean {
  if (runs.length === 0) return true;
  if (reprocess === 'none' || !runs.every((run) => endedBefore(run, seenBy))) return false;
  return reprocess === 'completed' || runs.every(({ state }) => state !== 'success');
}

/** Whoever decided must have seen one that does. */
function mustNotRun(runs: readonly KeptRun[], reprocess: Reprocess, seenBy: number): boolean {
  const known = runs.filter(({ since }) => since < seenBy);
  if (known.some(({ endedAt }) => endedAt === null)) return true;
  if (reprocess === 'none') return known.length > 0;
  const isDone = runs.length > 0 && runs.every((run) => endedBefore(run, seenBy) && run.state === 'success');
  return reprocess === 'failed' && isDone;
}

function endedBefore({ endedAt }: KeptRun, at: number): boolean {
  return endedAt !== null && endedAt < at;
}

function dayOf({ logicalDate }: KeptInterval): string {
  return new Date(logicalDate).toISOString().slice(0, 10);
}
