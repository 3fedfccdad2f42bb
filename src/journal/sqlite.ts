/**
 * The embedded journal: one file, `journal.sqlite`, that one server at a time opens under the lock of its folder. Every
 * commit has reached the disk (write-ahead log, `synchronous=FULL`) before it is acknowledged.
 */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../std/clock.ts';
import { ProblemError } from '../std/problem.ts';
import { lockFolder, type FolderLock } from './folder-lock.ts';
import type { Journal } from './journal.ts';
import * as migrate from './migrate.ts';
import { sqlJournal, type JournalOptions } from './sql-journal.ts';
import { SqliteDriver } from './sqlite-driver.ts';
import { messageOfError } from '../std/error-message.ts';

const busyTimeoutMs = 5000;

export interface SqliteJournalOptions extends JournalOptions {
  /** Made where it is not there. Null: in memory, for tests; it ends with the process. */
  readonly directory: string | null;
  /** In memory: whether its lease is as that of a store which others reach too. Default: false. */
  readonly shared?: boolean;
}

/** Rejects with a `ProblemError`: `folder-locked` where another server has the folder, `journal-newer`, `journal-unreachable`. */
export async function openSqliteJournal({ directory, clock, shared = false }: SqliteJournalOptions): Promise<Journal> {
  const known = await migrate.knownMigrations();
  if (directory === null) {
    const database = connect(':memory:');
    applyMigrations(database, 'the journal in memory', known, clock);
    return sqlJournal(new SqliteDriver(database, clock), { alone: !shared });
  }
  const lock = await makeAndLock(directory);
  const path = join(directory, 'journal.sqlite');
  try {
    if (!existsSync(path)) await initialise(directory, path, known, clock);
    const database = connect(path);
    applyMigrations(database, path, known, clock);
    const journal = sqlJournal(new SqliteDriver(database, clock), { alone: true });
    return {
      ...journal,
      async close() {
        await journal.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error instanceof ProblemError ? error : unusable(path, error);
  }
}

async function makeAndLock(directory: string): Promise<FolderLock> {
  try {
    await mkdir(directory, { recursive: true });
    const lock = lockFolder(directory);
    if (lock.ok) return lock.value;
    throw new ProblemError(lock.error);
  } catch (error) {
    throw error instanceof ProblemError ? error : unusable(directory, error);
  }
}

function unusable(path: string, error: unknown): ProblemError {
  return new ProblemError({
    code: 'journal-unreachable',
    message: `${path} cannot be opened: ${messageOfError(error)}`,
    where: null,
    help: 'Check that the folder is on a local disk with room on it, that this user may write there, and that nothing else wrote the file.',
  });
}

function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma trusted_schema = off');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** In a file of another name, renamed when it is whole: a kill on the way leaves no half journal, only a leftover. */
async function initialise(
  directory: string,
  path: string,
  known: readonly migrate.Migration[],
  clock: Clock,
): Promise<void> {
  const unfinished = `${path}.unfinished`;
  for (const suffix of ['', '-journal', '-wal', '-shm']) await rm(unfinished + suffix, { force: true });
  const database = new DatabaseSync(unfinished);
  try {
    database.exec('pragma journal_mode = delete; pragma synchronous = full');
    applyMigrations(database, unfinished, known, clock);
  } finally {
    if (database.isOpen) database.close();
  }
  await rename(unfinished, path);
  const folder = await open(directory);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Each in a transaction of its own, with the row that says so. */
function applyMigrations(
  database: DatabaseSync,
  place: string,
  known: readonly migrate.Migration[],
  clock: Clock,
): void {
  try {
    database.exec(migrate.createMigrationTable);
    const applied = Number(database.prepare(migrate.selectAppliedVersion).get()?.['version']);
    const newer = migrate.newerSchema(place, applied, known);
    if (newer !== null) throw new ProblemError(newer);
    for (const migration of known.slice(applied)) {
      database.exec('begin immediate');
      database.exec(migration.sql);
      const insert = database.prepare(migrate.insertMigration.replaceAll('$', '?'));
      insert.run(migration.version, migration.name, clock.now());
      database.exec('commit');
    }
  } catch (error) {
    if (database.isOpen) database.close();
    throw error;
  }
}
