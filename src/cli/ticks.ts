/** `contender ticks`: every tick of a schedule with what became of it. */
import { loadConfig } from '../config/config.ts';
import type { TickRow } from '../journal/journal.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { mindPipeline } from './mind-pipeline.ts';
import { chooseRepository } from './place.ts';
import { withReading } from './reading.ts';
import { markOf, oneLine, paint } from './terminal.ts';
import { utcText } from './time-text.ts';

export interface TicksOptions {
  readonly pipeline: string;
  readonly repository: string | null;
  readonly limit: number;
  readonly json: boolean;
}

export function ticks(directory: string, options: TicksOptions): Promise<ExitStatus> {
  const { pipeline, limit, json } = options;
  const chosen = chooseRepository(loadConfig(directory, process.env), options.repository);
  const repository = chosen.name;
  return withReading(directory, async ({ journal }) => {
    const rows = await journal.ticks(repository, pipeline, limit);
    if (rows.length === 0) await mindPipeline(directory, [chosen], pipeline);
    for (const row of rows) process.stdout.write(`${json ? JSON.stringify(row) : lineOf(row)}\n`);
    if (rows.length === 0) process.stderr.write(`No tick of ${pipeline} is on record in ${repository}.\n`);
    return exitStatus.success;
  });
}

function lineOf({ tick, decision, reason, runId }: TickRow): string {
  const mark = markOf(decision === 'run' ? 'success' : 'skipped');
  const run = runId === null ? '' : `  ${paint('gray', runId)}`;
  return `${mark} ${utcText(tick)} UTC  ${decision === 'run' ? 'fired ' : 'missed'}  ${oneLine(reason ?? '')}${run}`;
}
