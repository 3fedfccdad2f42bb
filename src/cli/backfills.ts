/** `contender backfills`: how far they are. */
import type { BackfillProgress, Journal } from '../journal/journal.ts';
import { ProblemError } from '../std/problem.ts';
import { backfillLine, intervalLine } from './backfill-text.ts';
import { commandHelps } from './command-helps.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { withReading } from './reading.ts';

export interface BackfillsOptions {
  /** Of one, with its intervals; null: of all. */
  readonly name: string | null;
  readonly limit: number;
  readonly json: boolean;
}

export function backfills(directory: string, { name, limit, json }: BackfillsOptions): Promise<ExitStatus> {
  return withReading(directory, async ({ journal }) => {
    const rows = name === null ? await journal.backfills(limit) : [await findBackfill(journal, name)];
    const intervals = name === null || rows[0] === undefined ? [] : await journal.backfillIntervals(rows[0].id);
    for (const row of rows) {
      const shown = name === null ? row : { ...row, intervals };
      process.stdout.write(`${json ? JSON.stringify(shown) : backfillLine(row, process.stdout)}\n`);
    }
    if (!json) for (const each of intervals) process.stdout.write(`${intervalLine(each, process.stdout)}\n`);
    if (rows.length === 0) process.stderr.write('There are no backfills.\n');
    return exitStatus.success;
  });
}

const lookedThroughMax = 200;

/** By id, or the beginning of one. */
export async function findBackfill(journal: Journal, name: string): Promise<BackfillProgress> {
  const exact = await journal.backfill(name);
  if (exact !== null) return exact;
  const rows = (await journal.backfills(lookedThroughMax)).filter(({ id }) => name !== '' && id.startsWith(name));
  const [first] = rows;
  if (first !== undefined && rows.length === 1) return first;
  throw new ProblemError({
    code: 'backfill-unknown',
    message: first === undefined ? `there is no backfill "${name}"` : `"${name}" could be ${rows.length} backfills`,
    where: null,
    help: commandHelps['backfill-unknown'],
  });
}
