import { after, before } from 'node:test';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { journalContract } from '../contract/journal.ts';
import { postgresMissing, startPostgres, type TestPostgres } from '../support/postgres.ts';

const skip = postgresMissing();
let server: TestPostgres | null = null;

before(async () => {
  if (skip === false) server = await startPostgres();
});
after(() => server?.stop());

journalContract(
  'PostgreSQL',
  async () => {
    if (server === null) throw new Error('PostgreSQL did not start');
    return openPostgresJournal({ url: await server.database(), clock: { now: () => 5 } });
  },
  skip,
);
