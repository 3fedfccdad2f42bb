/**
 * The schema moves forward only: numbered files, each applied once, in order, with the time. A database that knows more
 * than this program was written by a newer one and is refused, never guessed at.
 */
import { readdir, readFile } from 'node:fs/promises';
import type { Problem } from '../std/problem.ts';

export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const createMigrationTable = `
  create table if not exists migration (
    version integer not null primary key,
    name text not null,
    applied_at bigint not null
  )`;

export const selectAppliedVersion = 'select coalesce(max(version), 0) as version from migration';

export const insertMigration = 'insert into migration (version, name, applied_at) values ($1, $2, $3)';

/** All migrations that this program knows, in order. */
export async function knownMigrations(): Promise<readonly Migration[]> {
  const folder = new URL('sql/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => /^\d{4}-.+\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const version = Number(file.slice(0, 4));
      if (version !== index + 1) throw new Error(`migration ${file} should have number ${index + 1}`);
      return { version, name: file, sql: await readFile(new URL(file, folder), 'utf8') };
    }),
  );
}

/** Null where `applied` is not ahead of what is known. `place` names the store, without its password. */
export function newerSchema(place: string, applied: number, known: readonly Migration[]): Problem | null {
  if (applied <= known.length) return null;
  return {
    code: 'journal-newer',
    message: `${place} was written by a newer version of contender: its schema is ${applied}, this version knows ${known.length}`,
    where: null,
    help: 'Start the version that wrote it, or a newer one. Schemas only move forward: to go back, restore the backup from before the update.',
  };
}
