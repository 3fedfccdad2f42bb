/** Whether other servers and commands have kept something for whoever conducts: one statement, asked every few seconds. */
import type { Query } from './driver.ts';
import type { News } from './journal.ts';
import * as parse from './parse.ts';

const open = {
  deliveries: `select 1 from delivery where state = 'pending'`,
  requests: 'select 1 from run_request where done_at is null',
  orders: 'select 1 from run_order where answered_at is null',
  backfills: 'select 1 from backfill where finished_at is null',
};

export function news(): Query<News> {
  const columns = Object.entries(open).map(([name, text]) => `case when exists (${text}) then 1 else 0 end as ${name}`);
  return {
    text: `select ${columns.join(', ')}`,
    values: [],
    parse: (row) => ({
      deliveries: parse.integer(row, 'deliveries') === 1,
      requests: parse.integer(row, 'requests') === 1,
      orders: parse.integer(row, 'orders') === 1,
      backfills: parse.integer(row, 'backfills') === 1,
    }),
  };
}
