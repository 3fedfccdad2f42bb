/** Runs and their events. `run.position` counts the events: an append is a compare-and-set on it. */
import { firstTriggerOf, type RunEvent, type RunOpened, type RunState } from '../engine/event.ts';
import type { Query, RawRow, Step, Value } from './driver.ts';
import { journalLimits, type EventPage, type RunFilter, type RunRow, type RunStanding, type Write } from './journal.ts';
import * as parse from './parse.ts';
import { settleRequests } from './requests.ts';

export const runStates: readonly RunState[] = ['running', 'cancelling', 'success', 'failed', 'cancelled'];

export const selectRun = `
  select r.id, r.number, r.trigger_key, r.state, r.reason, r.finished_at, r.deadline_missed_at, e.body as opened
  from run r join run_event e on e.run_id = r.id and e.position = 0`;

export function runRow(row: RawRow): RunRow {
  return {
    id: parse.text(row, 'id'),
    number: parse.integer(row, 'number'),
    opened: parse.json<RunOpened>(row, 'opened'),
    triggerKey: parse.text(row, 'trigger_key'),
    state: parse.word(row, 'state', runStates),
    reason: parse.textOrNull(row, 'reason'),
    finishedAt: parse.integerOrNull(row, 'finished_at'),
    deadlineMissedAt: parse.integerOrNull(row, 'deadline_missed_at'),
  };
}

export function runById(id: string): Query<RunRow> {
  return { text: `${selectRun} where r.id = $1`, values: [id], parse: runRow };
}

export function runByTrigger(triggerKey: string): Query<RunRow> {
  return { text: `${selectRun} where r.trigger_key = $1`, values: [triggerKey], parse: runRow };
}

export function unfinishedRuns(): Query<RunRow> {
  return { text: `${selectRun} where r.finished_at is null order by r.id`, values: [], parse: runRow };
}

export function activeRuns(repository: string, pipeline: string): Query<RunRow> {
  return {
    text: `${selectRun} where r.repository = $1 and r.pipeline = $2 and r.finished_at is null order by r.id`,
    values: [repository, pipeline],
    parse: runRow,
  };
}

export function runsAhead(repository: string, pipeline: string, runId: string): Query<number> {
  return {
    text: `select count(*) as ahead from run
      where repository = $1 and pipeline = $2 and finished_at is null and id < $3`,
    values: [repository, pipeline, runId],
    parse: (row) => parse.integer(row, 'ahead'),
  };
}

/** The ids are filled up to a power of two, so that few different texts are prepared. */
export function runsEndedBefore(runIds: readonly string[], before: number): Query<string> {
  const places = Array.from({ length: 2 ** Math.ceil(Math.log2(runIds.length)) }, (_, at) => `$${at + 2}`);
  return {
    text: `select id from run where finished_at < $1 and id in (${places.join(', ')})`,
    values: [before, ...places.map((_, at) => runIds[at] ?? '')],
    parse: (row) => parse.text(row, 'id'),
  };
}

export function runsNotEndedBefore(before: number, after: string, limit: number): Query<string> {
  return {
    text: `select id from run where id > $1 and (finished_at is null or finished_at >= $2) order by id limit $3`,
    values: [after, before, Math.min(limit, journalLimits.pageMax)],
    parse: (row) => parse.text(row, 'id'),
  };
}

export function runsOfDates(
  repository: string,
  pipeline: string,
  { from, to }: { readonly from: number; readonly to: number },
): Query<RunRow> {
  return {
    text: `${selectRun}
      where r.repository = $1 and r.pipeline = $2 and r.logical_date between $3 and $4 order by r.logical_date, r.id`,
    values: [repository, pipeline, from, to],
    parse: runRow,
  };
}

/** More than a run can have. */
const eventsMax = 2 ** 31 - 1;

/** One page, by key: the ids are ULIDs, so their order is the order of time and no offset is counted. */
export function runPage(filter: RunFilter): Query<RunRow> {
  const conditions: string[] = [];
  const values: Value[] = [];
  const where = (condition: string, value: Value | undefined): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(`${condition} $${values.length}`);
  };
  where('r.repository =', filter.repository);
  where('r.pipeline =', filter.pipeline);
  where('r.state =', filter.state);
  where('r.branch =', filter.branch);
  where('r.sha =', filter.sha);
  where('r.pull_request =', filter.pullRequest);
  where('r.rerun_of =', filter.rerunOf);
  where('r.id <', filter.before);
  values.push(Math.min(filter.limit, journalLimits.pageMax));
  const condition = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  return { text: `${selectRun} ${condition} order by r.id desc limit $${values.length}`, values, parse: runRow };
}

export function eventsOf(runId: string, { from, limit }: EventPage = { from: 0, limit: eventsMax }): Query<RunEvent> {
  return {
    text: 'select body from run_event where run_id = $1 and position >= $2 order by position limit $3',
    values: [runId, from, limit],
    parse: (row) => parse.json<RunEvent>(row, 'body'),
  };
}

/** The trigger's key first: where it is known, nothing else matters. A second time is `duplicate-trigger`. */
export function openRun({ triggerKey, opened, reused }: Extract<Write, { write: 'open-run' }>): Step[] {
  const { branch, pullRequest, rerunOf } = place(opened);
  return [
    {
      text: `insert into run_trigger (key, at) values ($1, $2) on conflict (key) do nothing returning key`,
      values: [triggerKey, opened.at],
      otherwise: 'duplicate-trigger',
    },
    {
      text: `
        insert into pipeline_counter (repository, pipeline, last_number) values ($1, $2, 1)
        on conflict (repository, pipeline) do update set last_number = pipeline_counter.last_number + 1`,
      values: [opened.repository, opened.pipeline],
      otherwise: null,
    },
    {
      text: `
        insert into run (id, number, repository, pipeline, sha, digest, branch, pull_request, trigger_key, position, state,
          rerun_of, logical_date)
        select $1, last_number, repository, pipeline, $4, $5, $6, cast($7 as bigint), $8, cast($9 as integer), 'running', $10,
          cast($11 as bigint)
        from pipeline_counter where repository = $2 and pipeline = $3
        on conflict (trigger_key) do nothing returning id`,
      values: [
        opened.runId,
        opened.repository,
        opened.pipeline,
        opened.sha,
        opened.digest,
        branch,
        pullRequest,
        triggerKey,
        1 + reused.length,
        rerunOf,
        opened.logicalDate,
      ],
      otherwise: 'duplicate-trigger',
    },
    ...insertEvents(opened.runId, 0, [opened, ...reused]),
  ];
}

/** A second time finds the run further on and is a `position` conflict: its maker folds the run again and sees. */
export function append(write: Extract<Write, { write: 'append' }>): Step[] {
  const { runId, position, events, becomes } = write;
  const finishedAt = becomes?.finishedAt ?? null;
  return [
    { ...moveOn(becomes, [runId, position, events.length]), otherwise: 'position' },
    ...insertEvents(runId, position, events),
    ...noteDeadline(write),
    ...(finishedAt === null ? [] : [settleRequests(runId, finishedAt)]),
  ];
}

const here = 'where id = $1 and position = $2 returning id';
const moveText = `update run set position = position + $3 ${here}`;
const moveToText = `update run set position = position + $3, state = $4, reason = $5, finished_at = $6 ${here}`;

/** A state that is not written costs no index a change. */
function moveOn(becomes: RunStanding | null, values: readonly Value[]): Pick<Step, 'text' | 'values'> {
  if (becomes === null) return { text: moveText, values };
  const { state, reason, finishedAt } = becomes;
  return { text: moveToText, values: [...values, state, reason, finishedAt] };
}

/** Once in a run, so it costs the others nothing. */
function noteDeadline({ runId, events }: Extract<Write, { write: 'append' }>): Step[] {
  const missed = events.find((event) => event.type === 'deadline-missed');
  if (missed === undefined) return [];
  const text = 'update run set deadline_missed_at = $2 where id = $1';
  return [{ text, values: [runId, missed.at], otherwise: null }];
}

/** Rows of one statement: any few, as most commits have; of more powers of two, so that few different texts are prepared. */
const rowsPerStatementMax = 64;
const fewRowsMax = 8;

/** By rows: put together anew, they would be hashed anew to find what is prepared. */
const insertTexts = new Map<number, string>();

function insertEvents(runId: string, position: number, events: readonly RunEvent[]): Step[] {
  const steps: Step[] = [];
  let from = 0;
  while (from < events.length) {
    const left = events.length - from;
    const count = left <= fewRowsMax ? left : Math.min(rowsPerStatementMax, 2 ** Math.floor(Math.log2(left)));
    const values: Value[] = [runId];
    for (const [offset, event] of events.slice(from, from + count).entries()) {
      values.push(position + from + offset, JSON.stringify(event));
    }
    const text = insertTexts.get(count) ?? insertEventsText(count);
    insertTexts.set(count, text);
    steps.push({ text, values, otherwise: 'position' });
    from += count;
  }
  return steps;
}

function insertEventsText(count: number): string {
  const rows = Array.from({ length: count }, (_, index) => `($1, $${2 * index + 2}, $${2 * index + 3})`);
  return `insert into run_event (run_id, position, body) values ${rows.join(', ')}
    on conflict (run_id, position) do nothing returning position`;
}

function place({ trigger }: RunOpened): { branch: string | null; pullRequest: number | null; rerunOf: string | null } {
  const first = firstTriggerOf(trigger);
  return {
    branch: 'branch' in first ? first.branch : null,
    pullRequest: first.kind === 'pull-request' ? first.number : null,
    rerunOf: trigger.kind === 'rerun' ? trigger.of : null,
  };
}
