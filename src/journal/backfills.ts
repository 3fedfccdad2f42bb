/**
 * Backfills and their intervals. Each interval is decided once: in the commit that opens its run, or in one that says why
 * there is none; so whoever looks first decides, and whoever comes second is told so.
 */
import type { RunState } from '../engine/event.ts';
import type { Query, RawRow, Step } from './driver.ts';
import {
  backfillStates,
  journalLimits,
  type BackfillInterval,
  type BackfillOptions,
  type BackfillProgress,
  type Write,
} from './journal.ts';
import * as parse from './parse.ts';
import { runStates } from './runs.ts';

/** One statement, so that what is at work and what comes next are of the same moment. */
const selectBackfill = `
  select b.id, b.repository, b.pipeline, b.sha, b.digest, b.options, b.at, b.state, b.reason, b.finished_at,
    (select count(*) from backfill_interval i where i.backfill_id = b.id and i.decision = 'waiting') as waiting,
    (select count(*) from backfill_interval i where i.backfill_id = b.id and i.decision = 'skipped') as skipped,
    ${runsThat('r.finished_at is null')} as active,
    ${runsThat("r.state = 'success'")} as succeeded,
    ${runsThat("r.state in ('failed', 'cancelled')")} as failed,
    n.position as next_position, n.logical_date as next_logical_date, n.interval_end as next_interval_end
  from backfill b left join backfill_interval n on n.backfill_id = b.id and n.position = (
    select min(w.position) from backfill_interval w where w.backfill_id = b.id and w.decision = 'waiting')`;

function runsThat(condition: string): string {
  return `(select count(*) from backfill_interval i join run r on r.id = i.run_id
      where i.backfill_id = b.id and i.decision = 'run' and ${condition})`;
}

function backfillRow(row: RawRow): BackfillProgress {
  const position = parse.integerOrNull(row, 'next_position');
  return {
    id: parse.text(row, 'id'),
    repository: parse.text(row, 'repository'),
    pipeline: parse.text(row, 'pipeline'),
    sha: parse.text(row, 'sha'),
    digest: parse.text(row, 'digest'),
    options: parse.json<BackfillOptions>(row, 'options'),
    at: parse.integer(row, 'at'),
    state: parse.word(row, 'state', backfillStates),
    reason: parse.textOrNull(row, 'reason'),
    finishedAt: parse.integerOrNull(row, 'finished_at'),
    waiting: parse.integer(row, 'waiting'),
    skipped: parse.integer(row, 'skipped'),
    active: parse.integer(row, 'active'),
    succeeded: parse.integer(row, 'succeeded'),
    failed: parse.integer(row, 'failed'),
    next:
      position === null
        ? null
        : {
            position,
            logicalDate: parse.integer(row, 'next_logical_date'),
            intervalEnd: parse.integer(row, 'next_interval_end'),
          },
  };
}

export function backfillById(id: string): Query<BackfillProgress> {
  return { text: `${selectBackfill} where b.id = $1`, values: [id], parse: backfillRow };
}

export function openBackfills(): Query<BackfillProgress> {
  const text = `${selectBackfill} where b.finished_at is null order by b.at, b.id`;
  return { text, values: [], parse: backfillRow };
}

export function newestBackfills(limit: number): Query<BackfillProgress> {
  const values = [Math.min(limit, journalLimits.pageMax)];
  return { text: `${selectBackfill} order by b.at desc, b.id desc limit $1`, values, parse: backfillRow };
}

export function intervalsOfBackfill(id: string): Query<BackfillInterval> {
  return {
    text: `
      select i.position, i.logical_date, i.interval_end, i.decision, i.reason, i.run_id, r.state as run_state
      from backfill_interval i left join run r on r.id = i.run_id where i.backfill_id = $1 order by i.position`,
    values: [id],
    parse: (row) => ({
      position: parse.integer(row, 'position'),
      logicalDate: parse.integer(row, 'logical_date'),
      intervalEnd: parse.integer(row, 'interval_end'),
      decision: parse.word(row, 'decision', ['waiting', 'run', 'skipped']),
      reason: parse.textOrNull(row, 'reason'),
      runId: parse.textOrNull(row, 'run_id'),
      runState: row['run_state'] === null ? null : parse.word<RunState>(row, 'run_state', runStates),
    }),
  };
}

/** With all of its intervals, or not at all: a second time is `duplicate-backfill`. */
export function putBackfill(write: Extract<Write, { write: 'backfill' }>): Step[] {
  const { id, repository, pipeline, sha, digest, options, at } = write.backfill;
  return [
    {
      text: `
        insert into backfill (id, repository, pipeline, sha, digest, options, at, state)
        values ($1, $2, $3, $4, $5, $6, $7, 'running') on conflict (id) do nothing returning id`,
      values: [id, repository, pipeline, sha, digest, JSON.stringify(options), at],
      otherwise: 'duplicate-backfill',
    },
    ...write.intervals.map(({ logicalDate, intervalEnd, skipped }, position): Step => ({
      text: `
        insert into backfill_interval (backfill_id, position, logical_date, interval_end, decision, reason, at)
        values ($1, $2, $3, $4, $5, $6, $7)`,
      values: [id, position, logicalDate, intervalEnd, skipped === null ? 'waiting' : 'skipped', skipped, at],
      otherwise: null,
    })),
  ];
}

/** A second time, whatever the first was, is `changed`. */
export function decideInterval(write: Extract<Write, { write: 'backfill-interval' }>): Step[] {
  return [
    {
      text: `
        update backfill_interval set decision = $3, reason = $4, run_id = $5, at = $6
        where backfill_id = $1 and position = $2 and decision = 'waiting' returning position`,
      values: [write.id, write.position, write.decision, write.reason, write.runId, write.at],
      otherwise: 'changed',
    },
  ];
}

/** What has not begun when a backfill is cancelled never does. */
export function setBackfillState({ id, from, to, reason, at }: Extract<Write, { write: 'backfill-state' }>): Step[] {
  const finishedAt = to === 'cancelling' ? null : at;
  return [
    {
      text: `
        update backfill set state = $3, reason = coalesce($4, reason), finished_at = $5
        where id = $1 and state = $2 returning id`,
      values: [id, from, to, reason, finishedAt],
      otherwise: 'changed',
    },
    ...(to === 'cancelling'
      ? [
          {
            text: `
              update backfill_interval set decision = 'skipped', reason = $2, at = $3
              where backfill_id = $1 and decision = 'waiting'`,
            values: [id, reason, at],
            otherwise: null,
          },
        ]
      : []),
  ];
}
