import { after, before } from 'node:test';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { journalContract } from '../contract/journal.ts';
import { postgresMissing, runSql, startPostgres, type TestPostgres } from '../support/postgres.ts';

const skip = postgresMissing();
let server: TestPostgres | null = null;
let url = '';

before(async () => {
  if (skip !== false) return;
  server = await startPostgres();
  url = await server.database();
});
after(() => server?.stop());

journalContract(
  'PostgreSQL',
  async () => {
    const journal = await openPostgresJournal({ url, clock: { now: () => 5 } });
    await empty();
    return journal;
  },
  skip,
);

/** Far quicker than a database for each test; what refers to others comes first. */
async function empty(): Promise<void> {
  const runs = [
    'backfill_interval',
    'backfill',
    'data_listener',
    'data_event',
    'dataset',
    'run_end',
    'evaluation',
    'step_cache',
    'run_event',
    'run_request',
    'outbox',
    'run',
    'pipeline_counter',
    'run_trigger',
    'definition',
  ];
  const others = [
    'delivery',
    'compiled_commit',
    'branch_head',
    'tick',
    'forge_object',
    'lease',
    'run_order',
    'session',
  ];
  await runSql(url, [...runs, ...others].map((table) => `delete from ${table};`).join('\n'));
}
