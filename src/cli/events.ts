/** `contender events`: what was said of datasets. */
import type { DataEventRow } from '../journal/journal.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { withReading } from './reading.ts';
import { markOf, oneLine, paint } from './terminal.ts';
import { utcText } from './time-text.ts';

export interface EventsOptions {
  /** Null: of all. */
  readonly dataset: string | null;
  readonly limit: number;
  readonly json: boolean;
}

export function events(directory: string, { dataset, limit, json }: EventsOptions): Promise<ExitStatus> {
  return withReading(directory, async ({ journal }) => {
    const rows = await journal.dataEvents(dataset, limit);
    for (const row of rows) process.stdout.write(`${json ? JSON.stringify(row) : eventLine(row, process.stdout)}\n`);
    if (rows.length === 0) process.stderr.write('Nothing was said of any dataset.\n');
    return exitStatus.success;
  });
}

type Shown = Pick<DataEventRow, 'dataset' | 'digest' | 'at' | 'state' | 'runId' | 'toldBy' | 'reason'>;

export function eventLine(
  { dataset, digest, at, state, runId, toldBy, reason }: Shown,
  stream: NodeJS.WritableStream,
): string {
  const mark = markOf(marks[state], stream);
  const what = digest === null ? '' : `  ${oneLine(digest).slice(0, 12)}`;
  const by = runId === null ? (toldBy === null ? '' : `, by ${oneLine(toldBy)}`) : `, by run ${runId}`;
  const why = reason === null ? '' : `\n    ${oneLine(reason)}`;
  return `${mark} ${utcText(at)}  ${paint('bold', oneLine(dataset), stream)}${what}  ${words[state]}${by}${why}`;
}

const marks = { open: 'scheduled', news: 'success', same: 'skipped', refused: 'skipped' } as const;
const words = { open: 'not decided', news: 'news', same: 'the same as before', refused: 'does not count' } as const;
