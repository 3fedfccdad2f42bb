/** Why a run stands still before it has begun: `waits for its turn: 1 run of churn is ahead of it (maxActiveRuns 1)`. */
import type { RunOpened } from '../../engine/event.ts';
import type { Journal } from '../../journal/journal.ts';
import { readRun } from '../read.ts';

/** Null: it waits for no other run. */
export async function turnText(
  journal: Journal,
  { repository, pipeline, runId, digest }: RunOpened,
): Promise<string | null> {
  const definition = await journal.definition(digest);
  const ahead = await journal.runsAhead(repository, pipeline, runId);
  if (definition === null || ahead < definition.maxActiveRuns) return null;
  const run = await readRun(journal, runId);
  if (run === null || run.begunAt !== null || run.state !== 'running') return null;
  const runs = ahead === 1 ? `1 run of ${pipeline} is` : `${ahead} runs of ${pipeline} are`;
  return `waits for its turn: ${runs} ahead of it (maxActiveRuns ${definition.maxActiveRuns})`;
}
