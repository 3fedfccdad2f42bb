/** The ticks of schedules: each has exactly one row, run or missed. */
import type { Query, Step } from './driver.ts';
import type { TickRow, Write } from './journal.ts';
import * as parse from './parse.ts';

export function lastTick(repository: string, pipeline: string): Query<number | null> {
  return {
    text: 'select max(tick) as tick from tick where repository = $1 and pipeline = $2',
    values: [repository, pipeline],
    parse: (row) => parse.integerOrNull(row, 'tick'),
  };
}

export function newestTicks(repository: string, pipeline: string, limit: number): Query<TickRow> {
  return {
    text: `
      select tick, at, decision, reason, run_id from tick
      where repository = $1 and pipeline = $2 order by tick desc limit $3`,
    values: [repository, pipeline, limit],
    parse: (row) => ({
      tick: parse.integer(row, 'tick'),
      at: parse.integer(row, 'at'),
      decision: parse.word(row, 'decision', ['run', 'missed']),
      reason: parse.textOrNull(row, 'reason'),
      runId: parse.textOrNull(row, 'run_id'),
    }),
  };
}

/** A second time, whatever its decision, is `duplicate-tick`. */
export function putTick(write: Extract<Write, { write: 'tick' }>): Step[] {
  return [
    {
      text: `
        insert into tick (repository, pipeline, tick, at, decision, reason, run_id)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict (repository, pipeline, tick) do nothing returning tick`,
      values: [write.repository, write.pipeline, write.tick, write.at, write.decision, write.reason, write.runId],
      otherwise: 'duplicate-tick',
    },
  ];
}
