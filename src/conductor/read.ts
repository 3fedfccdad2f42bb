/** Reads runs and their reports from the journal: for senders of reports, commands and pages. */
import { evolve, open } from '../engine/engine.ts';
import type { Run } from '../engine/run.ts';
import type { RunReport } from '../forge/forge.ts';
import type { Journal, RunRow } from '../journal/journal.ts';
import { isJsonObject, type Json } from '../std/json.ts';
import { refusedBy, verdictKinds, type VerdictKind } from '../verdict/verdict.ts';
import { reportOf } from './reports/report.ts';

/** Beside the heads of branches: of which one the remote says that it is the default one. No ref has a colon in its name. */
export const defaultBranchKey = ':HEAD';

/** As the last look at the remote found it, '' where it has none; null: nobody has looked yet. */
export function knownDefaultBranch(journal: Journal, repository: string): Promise<string | null> {
  return journal.head(repository, defaultBranchKey);
}

/** The events of a long run take several times the memory of the run. */
const eventsAtOnceMax = 1000;

/** Folds a run from the journal; null where there is none. */
export async function readRun(journal: Pick<Journal, 'events' | 'definition'>, runId: string): Promise<Run | null> {
  const limit = eventsAtOnceMax;
  let events = await journal.events(runId, { from: 0, limit });
  const [first] = events;
  if (first?.type !== 'run-opened') return null;
  const definition = await journal.definition(first.digest);
  if (definition === null) return null;
  const run = open(definition, first);
  for (const event of events.slice(1)) evolve(run, event);
  while (events.length === limit) {
    events = await journal.events(runId, { from: run.position, limit });
    for (const event of events) evolve(run, event);
  }
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

/** Which of these runs ended well and are refused all the same, as their reports say, and by which verdict. */
export async function refusalsOf(
  journal: Journal,
  rows: readonly Pick<RunRow, 'id' | 'state'>[],
): Promise<ReadonlyMap<string, VerdictKind>> {
  const ended = rows.filter(({ state }) => state === 'success').map(({ id }) => id);
  const found = Map.groupBy(await journal.unpromotable(ended), ({ runId }) => runId);
  return new Map(
    [...found].flatMap(([runId, verdicts]): [string, VerdictKind][] => {
      const refused = refusedBy(verdicts.flatMap(({ verdict }) => kindOf(verdict)));
      return refused === null ? [] : [[runId, refused]];
    }),
  );
}

/** An older version may have written other kinds. */
function kindOf(verdict: Json): readonly VerdictKind[] {
  return isJsonObject(verdict) ? verdictKinds.filter((kind) => kind === verdict['kind']) : [];
}
