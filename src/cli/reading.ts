/** The journal and logs of a folder, for commands that only look: beside a server that is at work there, too. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, type Config } from '../config/config.ts';
import type { Run, Step } from '../engine/run.ts';
import { isFolderLocked } from '../journal/folder-lock.ts';
import type { Journal, RunRow } from '../journal/journal.ts';
import { openPostgresJournal } from '../journal/postgres.ts';
import { openSqliteReader } from '../journal/sqlite-reader.ts';
import { createDirectoryStores } from '../outputs/directory.ts';
import type { LogStore } from '../outputs/outputs.ts';
import { ProblemError } from '../std/problem.ts';
import { commandHelps } from './command-helps.ts';

export interface Reading {
  readonly journal: Journal;
  readonly logs: LogStore;
  /** How long after the end of its run a log is kept; null: for good. */
  readonly logsKeptMs: number | null;
  /** Whether somebody carries runs out there at this moment. */
  readonly isHeld: () => Promise<boolean>;
}

const clock = { now: Date.now };

export async function withReading<T>(directory: string, use: (reading: Reading) => Promise<T>): Promise<T> {
  const config = loadConfig(directory, process.env);
  const { logs } = createDirectoryStores({ directory: config.sharedDirectory, clock });
  const journal = await openToRead(config);
  try {
    return await use({ journal, logs, logsKeptMs: config.retention.logsMs, isHeld: () => isHeld(config, journal) });
  } finally {
    await journal.close();
  }
}

/** Beside whoever is at work on it. */
export async function openToRead({ store, stateDirectory }: Config): Promise<Journal> {
  if (store.kind === 'postgres') return openPostgresJournal({ url: store.url, clock });
  mindNothing(stateDirectory);
  return openSqliteReader({ directory: stateDirectory });
}

async function isHeld({ store, stateDirectory }: Config, journal: Journal): Promise<boolean> {
  if (store.kind === 'sqlite') return isFolderLocked(stateDirectory);
  const lease = await journal.lease();
  return lease !== null && lease.expiresInMs > 0;
}

/** For a command that needs a run, before it makes anything on disk. */
export function mindNothingHere({ store, stateDirectory }: Config): void {
  if (store.kind === 'sqlite') mindNothing(stateDirectory);
}

function mindNothing(directory: string): void {
  if (existsSync(join(directory, 'journal.sqlite'))) return;
  throw new ProblemError({
    code: 'nothing-here',
    message: `nothing has run here yet: there is no journal in ${directory}`,
    where: null,
    help: 'Start a run with `contender run PIPELINE`, or the server with `contender serve`.',
  });
}

const pageSize = 200;
/** Every id is as long, so that this follows all that begin with the same. */
const idLength = 26;

/** By id, the beginning of an id, or `PIPELINE#NUMBER`. */
export async function findRun(journal: Journal, name: string): Promise<RunRow> {
  const exact = await journal.run(name);
  if (exact !== null) return exact;
  const [, pipeline, number] = /^(.+)#(\d+)$/.exec(name) ?? [];
  const found =
    pipeline === undefined ? await byBeginning(journal, name) : await byNumber(journal, pipeline, Number(number));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  throw new ProblemError({
    code: 'run-unknown',
    message: first === undefined ? `there is no run "${name}"` : `"${name}" could be ${found.length} runs or more`,
    where: null,
    help: first === undefined ? commandHelps['run-unknown'] : `Give an id: ${found.map((row) => row.id).join(', ')}.`,
  });
}

export function stepOf(run: Run, name: string): Step {
  const step = run.steps.get(name);
  if (step !== undefined) return step;
  throw new ProblemError({
    code: 'step-unknown',
    message: `the run has no step "${name}"`,
    where: null,
    help: `Its steps: ${[...run.steps.keys()].join(', ')}.`,
  });
}

/** At most two: what is not clear is not chosen. */
async function byBeginning(journal: Journal, beginning: string): Promise<readonly RunRow[]> {
  if (beginning === '') return [];
  const rows = await journal.runs({ before: beginning.padEnd(idLength + 1, 'z'), limit: 2 });
  return rows.filter((row) => row.id.startsWith(beginning));
}

/** Newest first; of pipelines with the same name in several repositories, each may have that number. */
async function byNumber(journal: Journal, pipeline: string, number: number): Promise<readonly RunRow[]> {
  const found: RunRow[] = [];
  for (let before: string | null = null; ;) {
    const rows: readonly RunRow[] = await journal.runs({
      pipeline,
      limit: pageSize,
      ...(before === null ? {} : { before }),
    });
    found.push(...rows.filter((row) => row.number === number));
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return found;
    before = last.id;
  }
}
