/** Reads runs and their reports from the journal: for senders of reports, commands and pages. */
import { evolve, open } from '../engine/engine.ts';
import type { Run } from '../engine/run.ts';
import type { RunReport } from '../forge/forge.ts';
import type { Journal } from '../journal/journal.ts';
import { reportOf } from './report.ts';

/** Folds a run from the journal; null where there is none. */
export async function readRun(journal: Journal, runId: string): Promise<Run | null> {
  const [first, ...rest] = await journal.events(runId);
  if (first?.type !== 'run-opened') return null;
  const definition = await journal.definition(first.digest);
  if (definition === null) return null;
  const run = open(definition, first);
  for (const event of rest) evolve(run, event);
  return run;
}

export async function runReportOf(journal: Journal, runId: string, url: string | null): Promise<RunReport | null> {
  const [run, row, evaluations] = await Promise.all([
    readRun(journal, runId),
    journal.run(runId),
    journal.evaluations({ runId, limit: 100 }),
  ]);
  return run === null || row === null ? null : reportOf(run, row.number, url, evaluations);
}
