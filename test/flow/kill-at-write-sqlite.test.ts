/** See kill-at-write.ts. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteReader } from '../../src/journal/sqlite-reader.ts';
import { dieAtEveryWrite } from './kill-at-write.ts';

test('a server that is killed at any write of a scenario on SQLite loses nothing and does nothing twice', async () => {
  const deaths = await dieAtEveryWrite(async ({ folder }) => {
    const directory = join(folder, '.contender');
    return {
      environment: {},
      // The folder's lock tells who holds it, and that nobody does.
      died: () => Promise.resolve(),
      open: async () => (existsSync(join(directory, 'journal.sqlite')) ? openSqliteReader({ directory }) : null),
    };
  });
  assert.ok(deaths >= 20, `it died ${deaths} times`);
});
