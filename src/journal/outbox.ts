/**
 * What is to be carried out elsewhere, at least once. A key is one thing that others can see (the status of a commit, a
 * comment); asking again before it is done replaces what is to be said, and the sequence tells the old from the new, so
 * whoever carried out the old one cannot mark the new one done. Done rows stay: their sequence must go on rising.
 */
import type { JsonObject } from '../std/json.ts';
import type { Query, RawRow, Step } from './driver.ts';
import { journalLimits, type OutboxRow, type Write } from './journal.ts';
import * as parse from './parse.ts';

const selectOutbox = 'select key, kind, body, sequence, attempts, at, due_at, error from outbox';

function outboxRow(row: RawRow): OutboxRow {
  return {
    key: parse.text(row, 'key'),
    kind: parse.text(row, 'kind'),
    body: parse.json<JsonObject>(row, 'body'),
    sequence: parse.integer(row, 'sequence'),
    attempts: parse.integer(row, 'attempts'),
    at: parse.integer(row, 'at'),
    dueAt: parse.integerOrNull(row, 'due_at'),
    error: parse.textOrNull(row, 'error'),
  };
}

export function dueOutbox(now: number, limit: number, after: OutboxRow | null = null): Query<OutboxRow> {
  return {
    text: `${selectOutbox} where due_at is not null and due_at <= $1 and (due_at, key) > ($3, $4) order by due_at, key limit $2`,
    values: [now, limit, after?.dueAt ?? -1, after?.key ?? ''],
    parse: outboxRow,
  };
}

export function nextOutboxAt(after = -1): Query<number | null> {
  return {
    text: 'select min(due_at) as due_at from outbox where due_at is not null and due_at > $1',
    values: [after],
    parse: (row) => parse.integerOrNull(row, 'due_at'),
  };
}

export function troubledOutbox(limit: number): Query<OutboxRow> {
  return {
    text: `${selectOutbox} where error is not null and done_at is null order by at desc, key desc limit $1`,
    values: [limit],
    parse: outboxRow,
  };
}

export function outboxByKey(key: string): Query<OutboxRow> {
  return { text: `${selectOutbox} where key = $1`, values: [key], parse: outboxRow };
}

export function outboxOfRun(runId: string): Query<OutboxRow> {
  return {
    text: `${selectOutbox} where run_id = $1 order by at, key limit ${journalLimits.pageMax}`,
    values: [runId],
    parse: outboxRow,
  };
}

/** A second time raises the sequence and carries the same thing out again, which its key makes harmless. */
export function putOutbox(write: Extract<Write, { write: 'outbox' }>): Step[] {
  return [
    {
      text: `
        insert into outbox (key, kind, body, sequence, attempts, at, due_at, run_id) values ($1, $2, $3, 1, 0, $4, $5, $6)
        on conflict (key) do update set kind = excluded.kind, body = excluded.body, sequence = outbox.sequence + 1,
          attempts = 0, at = excluded.at, due_at = excluded.due_at, error = null, done_at = null`,
      values: [write.key, write.kind, JSON.stringify(write.body), write.at, write.dueAt, write.runId ?? null],
      otherwise: null,
    },
  ];
}

/** A second time, of the same sequence, keeps the first time of being done. */
export function outboxDone(write: Extract<Write, { write: 'outbox-done' }>): Step[] {
  return [
    {
      text: `
        update outbox set done_at = coalesce(done_at, $3), due_at = null, error = null
        where key = $1 and sequence = $2 returning key`,
      values: [write.key, write.sequence, write.at],
      otherwise: 'changed',
    },
  ];
}

/** A second time counts one more attempt. What is done stays done (`changed`). */
export function outboxFailed(write: Extract<Write, { write: 'outbox-failed' }>): Step[] {
  return [
    {
      text: `
        update outbox set attempts = attempts + 1, error = $3, due_at = $4
        where key = $1 and sequence = $2 and done_at is null returning key`,
      values: [write.key, write.sequence, write.error, write.dueAt],
      otherwise: 'changed',
    },
  ];
}

export function forgeObject(key: string): Query<string> {
  return {
    text: 'select id from forge_object where key = $1',
    values: [key],
    parse: (row) => parse.text(row, 'id'),
  };
}

/** The last one stands. */
export function putForgeObject(write: Extract<Write, { write: 'forge-object' }>): Step[] {
  return [
    {
      text: `
        insert into forge_object (key, id, at) values ($1, $2, $3)
        on conflict (key) do update set id = excluded.id, at = excluded.at`,
      values: [write.key, write.id, write.at],
      otherwise: null,
    },
  ];
}
