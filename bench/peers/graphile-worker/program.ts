/** Worker and client in one process. Arguments: the database, and `plain` or `batched`. */
import { Logger, makeWorkerUtils, run, type Task } from 'graphile-worker';
import { Pool } from 'pg';
import { unreachable } from '../../../src/std/unreachable.ts';
import { parseWorkload, serve } from '../../serve.ts';
import { createWaiters } from '../waiters.ts';

interface Payload {
  readonly id: string;
  readonly steps: number;
}

const [url = '', manner = ''] = process.argv.slice(2);
const pgPool = new Pool({ connectionString: url, max: 12 });
await pgPool.query('create table if not exists joins (id text primary key, unfinished integer not null)');
const waiters = createWaiters();
// The payloads are those that this program adds.
const asPayload = (payload: unknown): Payload => payload as Payload;

const taskList: Readonly<Record<string, Task>> = {
  async chain(given, { addJob }) {
    const { id, steps } = asPayload(given);
    if (steps > 1) await addJob('chain', { id, steps: steps - 1 });
    else waiters.say(id, performance.now());
  },
  async first(given, { addJobs, withPgClient }) {
    const { id, steps } = asPayload(given);
    await withPgClient((client) => client.query('insert into joins values ($1, $2)', [id, steps]));
    await addJobs(Array.from({ length: steps }, () => ({ identifier: 'middle', payload: { id } })));
  },
  async middle(given, { addJob, withPgClient }) {
    const { id } = asPayload(given);
    const counted = await withPgClient<{ unfinished: number }>((client) =>
      client.query('update joins set unfinished = unfinished - 1 where id = $1 returning unfinished', [id]),
    );
    if (counted.rows[0]?.unfinished === 0) await addJob('last', { id });
  },
  async last(given) {
    waiters.say(asPayload(given).id, performance.now());
  },
};

const logger = new Logger(() => () => undefined);
const batched = { worker: { localQueue: { size: 50 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } };
const runner = await run({
  pgPool,
  concurrency: 8,
  noHandleSignals: true,
  taskList,
  logger,
  ...(manner === 'batched' ? { preset: batched } : {}),
});
const utilities = await makeWorkerUtils({ pgPool, logger });

async function runJobs(task: string, steps: number): Promise<number> {
  const startedAt = performance.now();
  const { id, said } = waiters.begin();
  await utilities.addJob(task, { id, steps });
  return (await said) - startedAt;
}

await serve(parseWorkload, async (workload) => {
  switch (workload.shape) {
    case 'chain':
      return runJobs('chain', workload.steps);
    case 'fan':
      return runJobs('first', workload.steps);
    case 'burst':
      return Math.max(
        ...(await Promise.all(Array.from({ length: workload.runs }, () => runJobs('chain', workload.steps)))),
      );
    case 'trigger':
      return runJobs('chain', 1);
    default:
      return unreachable(workload);
  }
});
await runner.stop();
await utilities.release();
await pgPool.end();
