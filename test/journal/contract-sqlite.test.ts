import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { journalContract } from '../contract/journal.ts';

const clock = { now: () => 5 };

journalContract('memory', () => openSqliteJournal({ directory: null, clock, shared: true }));

journalContract('a folder', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'contender-journal-'));
  const journal = await openSqliteJournal({ directory, clock });
  return {
    ...journal,
    async close() {
      await journal.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
});
