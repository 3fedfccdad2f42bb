/** What came in: webhooks, and the triggers that they, the clock and people became. */
import type { JsonObject } from '../std/json.ts';
import type { Query, Step, Value } from './driver.ts';
import type { DeliveryRow, Part, TriggerRow, Write } from './journal.ts';
import * as parse from './parse.ts';

export function pendingDeliveries(limit: number, { repository, after }: Part = {}): Query<DeliveryRow> {
  const values: Value[] = [limit];
  const ofRepository = repository === undefined ? '' : `and repository = $${values.push(repository)}`;
  const further =
    after === undefined ? '' : `and (at, id) > (select at, id from delivery where id = $${values.push(after)})`;
  return {
    text: `
      select id, repository, event, body, at from delivery where state = 'pending' ${ofRepository} ${further}
      order by at, id limit $1`,
    values,
    parse: (row) => ({
      id: parse.text(row, 'id'),
      repository: parse.text(row, 'repository'),
      event: parse.text(row, 'event'),
      body: parse.json<JsonObject>(row, 'body'),
      at: parse.integer(row, 'at'),
    }),
  };
}

/** A second time, by id or by meaning, is `duplicate-delivery`. */
export function putDelivery(write: Extract<Write, { write: 'delivery' }>): Step[] {
  return [
    {
      text: `
        insert into delivery (id, repository, event, semantic_key, body, at, state)
        values ($1, $2, $3, $4, $5, $6, 'pending') on conflict do nothing returning id`,
      values: [write.id, write.repository, write.event, write.semanticKey, JSON.stringify(write.body), write.at],
      otherwise: 'duplicate-delivery',
    },
  ];
}

/** A second time changes nothing: the first outcome stands. */
export function deliveryDone(write: Extract<Write, { write: 'delivery-done' }>): Step[] {
  return [
    {
      text: `update delivery set state = $2, note = $3, done_at = $4 where id = $1 and state = 'pending'`,
      values: [write.id, write.state, write.note, write.at],
      otherwise: null,
    },
  ];
}

export function triggerByKey(key: string): Query<TriggerRow> {
  return {
    text: `
      select t.key, t.at, t.reason, r.id as run_id
      from run_trigger t left join run r on r.trigger_key = t.key where t.key = $1`,
    values: [key],
    parse: (row) => ({
      key: parse.text(row, 'key'),
      at: parse.integer(row, 'at'),
      runId: parse.textOrNull(row, 'run_id'),
      reason: parse.textOrNull(row, 'reason'),
    }),
  };
}

/** A second time is `duplicate-trigger`. */
export function skipTrigger(write: Extract<Write, { write: 'trigger-skipped' }>): Step[] {
  return [
    {
      text: `
        insert into run_trigger (key, at, reason, covered_by) values ($1, $2, $3, $4)
        on conflict (key) do nothing returning key`,
      values: [write.key, write.at, write.reason, write.coveredBy],
      otherwise: 'duplicate-trigger',
    },
  ];
}
