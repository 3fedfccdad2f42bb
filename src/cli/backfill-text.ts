/** Intervals and backfills as lines. */
import type { BackfillInterval, BackfillProgress } from '../journal/journal.ts';
import { markOf, oneLine, paint } from './terminal.ts';
import { utcText } from './time-text.ts';

interface Planned {
  readonly logicalDate: number;
  readonly intervalEnd: number;
  readonly skipped: string | null;
}

/** The intervals by what would become of them, under a line that counts them. */
export function planLines(
  pipeline: string,
  { sha, intervals }: { readonly sha: string; readonly intervals: readonly Planned[] },
  stream: NodeJS.WritableStream,
): readonly string[] {
  const wanted = intervals.filter(({ skipped }) => skipped === null).length;
  const title = `${paint('bold', pipeline, stream)} at ${sha.slice(0, 7)}: ${wanted} of ${intervals.length} intervals would run`;
  return [title, ...intervals.map((interval) => plannedLine(interval, stream))];
}

function plannedLine({ logicalDate, intervalEnd, skipped }: Planned, stream: NodeJS.WritableStream): string {
  const mark = markOf(skipped === null ? 'scheduled' : 'skipped', stream);
  const what = skipped === null ? 'would run' : `skipped: ${oneLine(skipped)}`;
  return `  ${mark} ${rangeText(logicalDate, intervalEnd)}  ${what}`;
}

/** What has become of an interval. */
export function intervalLine(interval: BackfillInterval, stream: NodeJS.WritableStream): string {
  const { logicalDate, intervalEnd, decision, reason, runId, runState } = interval;
  const state = runState ?? (decision === 'skipped' ? 'skipped' : 'scheduled');
  const word = runState ?? decision;
  const what = reason === null ? (runId === null ? '' : `  run ${runId}`) : `: ${oneLine(reason)}`;
  return `  ${markOf(state, stream)} ${rangeText(logicalDate, intervalEnd)}  ${word}${what}`;
}

function rangeText(logicalDate: number, intervalEnd: number): string {
  return `${utcText(logicalDate)} to ${utcText(intervalEnd)}`;
}

export function backfillLine(backfill: BackfillProgress, stream: NodeJS.WritableStream): string {
  const { id, pipeline, sha, state, reason, options } = backfill;
  const days = `${utcText(options.from).slice(0, 10)} to ${utcText(options.to).slice(0, 10)}`;
  const name = paint('bold', pipeline, stream);
  const why = reason === null ? '' : `\n    ${oneLine(reason)}`;
  const by = oneLine(options.actor);
  return `${markOf(state === 'done' ? endOf(backfill) : state, stream)} ${state.padEnd(9)} ${name}  ${days}  ${sha.slice(0, 7)}  ${countsText(backfill)}, by ${by}  ${paint('gray', id, stream)}${why}`;
}

function endOf({ failed }: BackfillProgress): 'success' | 'failed' {
  return failed === 0 ? 'success' : 'failed';
}

export function countsText({ waiting, active, succeeded, failed, skipped }: BackfillProgress): string {
  const counts = [
    [succeeded, 'succeeded'],
    [failed, 'failed or cancelled'],
    [active, 'running'],
    [waiting, 'waiting'],
    [skipped, 'skipped'],
  ] as const;
  const there = counts.filter(([count]) => count > 0);
  return there.map(([count, word]) => `${count} ${word}`).join(', ') || 'nothing to do';
}
