/** The journal and logs of a folder, for commands that only look: beside a server that is at work there, too. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfig } from '../config.ts';
import type { Journal, RunRow } from '../journal/journal.ts';
import { openPostgresJournal } from '../journal/postgres.ts';
import { openSqliteReader } from '../journal/sqlite-reader.ts';
import { createDirectoryStores } from '../outputs/directory.ts';
import type { LogStore } from '../outputs/outputs.ts';
import { ProblemError } from '../std/problem.ts';

export interface Reading {
  readonly journal: Journal;
  readonly logs: LogStore;
}

const clock = { now: Date.now };

export async function withReading<T>(directory: string, use: (reading: Reading) => Promise<T>): Promise<T> {
  const config = loadConfig(resolve(directory), process.env);
  const { logs } = createDirectoryStores({ directory: config.stateDirectory, clock });
  const journal = config.store.kind === 'postgres' ? await openPostgresJournal({ url: config.store.url, clock }) : await openReader(config.stateDirectory);
  try {
    return await use({ journal, logs });
  } finally {
    await journal.close();
  }
}

async function openReader(directory: string): Promise<Journal> {
  if (existsSync(join(directory, 'journal.sqlite'))) return openSqliteReader({ directory });
  throw new ProblemError({
    code: 'nothing-here',
    message: `nothing has run here yet: there is no journal in ${directory}`,
    where: null,
    help: 'Start a run with `contender run PIPELINE`, or the server with `contender serve`.',
  });
}

/** By id, the beginning of an id, or `PIPELINE#NUMBER`. */
export async function findRun(journal: Journal, name: string): Promise<RunRow> {
  const exact = await journal.run(name);
  if (exact !== null) return exact;
  const numbered = /^(.+)#(\d+)$/.exec(name);
  const pipeline = numbered?.[1];
  const rows = await journal.runs({ limit: 200, ...(pipeline === undefined ? {} : { pipeline }) });
  const found = rows.filter((row) => (numbered === null ? row.id.startsWith(name) : row.number === Number(numbered[2])));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  throw new ProblemError({
    code: 'run-unknown',
    message: found.length > 1 ? `"${name}" is the beginning of ${found.length} run ids` : `there is no run "${name}" among the newest 200`,
    where: null,
    help: '`contender runs` lists ids and numbers.',
  });
}
