/** Orders: what people ask to be opened, kept by any server and answered once, by whoever conducts or by the asker who gives up. */
import type { JsonObject } from '../std/json.ts';
import type { Query, RawRow, Step } from './driver.ts';
import type { OrderRow, Write } from './journal.ts';
import * as parse from './parse.ts';

const selectOrder = 'select id, body, at, answer from run_order';

function orderRow(row: RawRow): OrderRow {
  return {
    id: parse.text(row, 'id'),
    body: parse.json<JsonObject>(row, 'body'),
    at: parse.integer(row, 'at'),
    answer: row['answer'] === null ? null : parse.json<JsonObject>(row, 'answer'),
  };
}

/** Oldest first. */
export function openOrders(limit: number): Query<OrderRow> {
  return {
    text: `${selectOrder} where answered_at is null order by at, id limit $1`,
    values: [limit],
    parse: orderRow,
  };
}

export function orderById(id: string): Query<OrderRow> {
  return { text: `${selectOrder} where id = $1`, values: [id], parse: orderRow };
}

/** A second time changes nothing. */
export function putOrder(write: Extract<Write, { write: 'order' }>): Step[] {
  return [
    {
      text: `insert into run_order (id, body, at) values ($1, $2, $3) on conflict (id) do nothing`,
      values: [write.id, JSON.stringify(write.body), write.at],
      otherwise: null,
    },
  ];
}

/** Whoever asked has seen the answer by then, and a push that is told again is settled. */
const answeredKeptMs = 7 * 24 * 3_600_000;
const removedAtOnceMax = 100;

/** A second answer is `changed`. Orders whose answers are old go with the next that comes. */
export function answerOrder(write: Extract<Write, { write: 'order-answered' }>): Step[] {
  return [
    {
      text: `update run_order set answer = $2, answered_at = $3 where id = $1 and answered_at is null returning id`,
      values: [write.id, JSON.stringify(write.answer), write.at],
      otherwise: 'changed',
    },
    removeAnswered(write.at - answeredKeptMs),
  ];
}

export function removeAnswered(before: number): Step {
  return {
    text: `
      delete from run_order where id in (
        select id from run_order where answered_at is not null and answered_at < $1 order by answered_at limit $2
      )`,
    values: [before, removedAtOnceMax],
    otherwise: null,
  };
}
