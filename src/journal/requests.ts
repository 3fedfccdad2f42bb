/**
 * What was asked of runs: kept before anybody is told that it was accepted, and settled by the very commit whose events
 * come of it. A run that ends settles all that was asked of it too late, so only a run that goes on has open requests.
 */
import type { RunRequest } from '../engine/request.ts';
import type { Query, RawRow, Step } from './driver.ts';
import type { RequestRow, Write } from './journal.ts';
import * as parse from './parse.ts';

const selectRequest = 'select id, run_id, body, at from run_request';

function requestRow(row: RawRow): RequestRow {
  return {
    id: parse.text(row, 'id'),
    runId: parse.text(row, 'run_id'),
    request: parse.json<RunRequest>(row, 'body'),
    at: parse.integer(row, 'at'),
  };
}

/** Oldest first. */
export function openRequests(limit: number): Query<RequestRow> {
  return {
    text: `${selectRequest} where done_at is null order by at, id limit $1`,
    values: [limit],
    parse: requestRow,
  };
}

export function requestById(id: string): Query<RequestRow> {
  return { text: `${selectRequest} where id = $1`, values: [id], parse: requestRow };
}

/** The run's row first, which holds up whoever is about to end the run: then it goes on, or nothing is kept. */
export function putRequest(write: Extract<Write, { write: 'request' }>): Step[] {
  const strict = write.whereEnded === 'conflict';
  return [
    {
      text: `update run set position = position where id = $1 and finished_at is null returning id`,
      values: [write.runId],
      otherwise: strict ? 'run-ended' : null,
    },
    {
      text: `
        insert into run_request (id, run_id, body, at)
        select $1, id, $3, cast($4 as bigint) from run where id = $2 and finished_at is null
        on conflict (id) do nothing returning id`,
      values: [write.id, write.runId, JSON.stringify(write.request), write.at],
      otherwise: strict ? 'duplicate-request' : null,
    },
  ];
}

/** A second time changes nothing. */
export function requestDone(write: Extract<Write, { write: 'request-done' }>): Step[] {
  return [
    {
      text: `update run_request set done_at = $2 where id = $1 and done_at is null`,
      values: [write.id, write.at],
      otherwise: null,
    },
  ];
}

/** Of a run that ends: what comes too late to be taken in. */
export function settleRequests(runId: string, at: number): Step {
  return {
    text: `update run_request set done_at = $2 where run_id = $1 and done_at is null`,
    values: [runId, at],
    otherwise: null,
  };
}
