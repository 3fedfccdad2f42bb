/** Ends of runs, from the commit that ends them until somebody has looked who follows. */
import type { Query, Step, Value } from './driver.ts';
import type { Part, RunRow, Write } from './journal.ts';
import { runRow, selectRun } from './runs.ts';

/** Oldest first. */
export function openRunEnds(limit: number, { repository, after }: Part = {}): Query<RunRow> {
  const values: Value[] = [limit];
  const ofRepository =
    repository === undefined
      ? ''
      : `and (select repository from run where id = o.run_id) = $${values.push(repository)}`;
  const further =
    after === undefined
      ? ''
      : `and (o.at, o.run_id) > (select at, run_id from run_end where run_id = $${values.push(after)})`;
  const text = `
    ${selectRun} join run_end o on o.run_id = r.id where o.done_at is null ${ofRepository} ${further}
    order by o.at, o.run_id limit $1`;
  return { text, values, parse: runRow };
}

/** A second time changes nothing. */
export function putRunEnd({ runId, at }: Extract<Write, { write: 'run-end' }>): Step[] {
  const text = `insert into run_end (run_id, at) values ($1, $2) on conflict (run_id) do nothing`;
  return [{ text, values: [runId, at], otherwise: null }];
}

/** A second time changes nothing. */
export function runEndDone({ runId, at }: Extract<Write, { write: 'run-end-done' }>): Step[] {
  const text = `update run_end set done_at = $2 where run_id = $1 and done_at is null`;
  return [{ text, values: [runId, at], otherwise: null }];
}
