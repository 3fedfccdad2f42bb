/** See kill-at-write.ts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { postgresMissing, runSql, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { dieAtEveryWrite } from './kill-at-write.ts';

const skip = postgresMissing();
let postgres: TestPostgres | null = null;
/** The schema is there: of a server's own transactions, each migration is one. */
let migrated = '';
before(async () => {
  if (skip !== false) return;
  postgres = await startPostgres();
  migrated = await postgres.database();
  await openJournal(migrated).then((journal) => journal.close());
});
after(() => postgres?.stop());

test(
  'a server that is killed at any write of a scenario on PostgreSQL loses nothing and does nothing twice',
  { skip },
  async () => {
    const deaths = await dieAtEveryWrite(async () => {
      assert.ok(postgres !== null);
      const url = await postgres.database(migrated);
      return {
        environment: { CONTENDER_DATABASE_URL: url },
        open: () => openJournal(url),
        // Nobody waits for the end of a lease whose holder is known to be dead.
        died: async () => void (await runSql(url, 'update lease set expires_at = 0')),
      };
    });
    assert.ok(deaths >= 20, `it died ${deaths} times`);
  },
);

function openJournal(url: string): Promise<Journal> {
  return openPostgresJournal({ url, clock: { now: Date.now } });
}
