/**
 * The embedded journal for those who are not its server: without the folder's lock, so beside a server that is at work on
 * it. SQLite's write-ahead log gives each statement a consistent view.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ProblemError } from '../std/problem.ts';
import type { Journal } from './journal.ts';
import * as migrate from './migrate.ts';
import { sqlJournal } from './sql-journal.ts';
import { SqliteDriver } from './sqlite-driver.ts';

const busyTimeoutMs = 5000;

export interface SqliteBeside {
  readonly directory: string;
}

/** For those who only look: a commit is refused by the database. */
export function openSqliteReader({ directory }: SqliteBeside): Promise<Journal> {
  return openBeside(directory, true);
}

/** For those who leave a row for the server; everything else is the server's to write. */
export function openSqliteBeside({ directory }: SqliteBeside): Promise<Journal> {
  return openBeside(directory, false);
}

/** The journal must be there. Rejects with a `ProblemError` (`journal-newer`) where its schema is not the known one. */
async function openBeside(directory: string, readOnly: boolean): Promise<Journal> {
  const path = join(directory, 'journal.sqlite');
  const known = await migrate.knownMigrations();
  const database = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  if (!readOnly) database.exec('pragma synchronous = full');
  const applied = Number(database.prepare(migrate.selectAppliedVersion).get()?.['version']);
  if (applied === known.length) return sqlJournal(new SqliteDriver(database, { now: Date.now }), { alone: false });
  database.close();
  throw new ProblemError(migrate.newerSchema(path, applied, known) ?? olderSchema(path));
}

function olderSchema(path: string): ProblemError['problem'] {
  return {
    code: 'journal-older',
    message: `${path} was written by an older version and is not migrated yet`,
    where: null,
    help: 'Start this version once with `contender serve` or `contender run`: it brings the journal up to date.',
  };
}
