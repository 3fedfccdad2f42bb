/**
 * Somebody pressed "Re-run" beside a check: what ran there runs once more, from the same trigger, of the same version and
 * with the same parameters. Nothing that is under way is doubled by it, or cancelled for it.
 */
import { replaces } from '../admission/admission.ts';
import type { ForgeEvent } from '../forge/forge.ts';
import { journalLimits, type RunRow } from '../journal/journal.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Desk, Handled } from './desk.ts';
import type { Project } from './ports.ts';
import { forkSummary } from './pull-requests.ts';
import { openRun } from './triggers.ts';

export type RerequestedEvent = Extract<ForgeEvent, { type: 'rerequested' }>;

export async function handleRerequested(
  desk: Desk,
  project: Project,
  event: RerequestedEvent,
  deliveryId: string,
): Promise<Handled> {
  const runs = await runsToRepeat(desk, project, event);
  if (runs.length === 0) return { state: 'ignored', note: 'no run of ours is to be done again' };
  const notes: string[] = [];
  for (const run of runs) notes.push(`${run.opened.pipeline}: ${await repeat(desk, run, deliveryId)}`);
  return { state: 'done', note: `asked for by ${event.actor}; ${notes.join('; ')}` };
}

/** The run that the check shows or, of a whole commit, the newest run of each pipeline. */
async function runsToRepeat(
  { ports: { journal } }: Desk,
  { name: repository }: Project,
  { sha, runId }: RerequestedEvent,
): Promise<readonly RunRow[]> {
  if (runId !== null) {
    const run = await journal.run(runId);
    return run?.opened.repository === repository ? [run] : [];
  }
  const runs = await journal.runs({ repository, sha, limit: journalLimits.pageMax });
  const byPipeline = Map.groupBy(runs, ({ opened }) => opened.pipeline);
  return [...byPipeline.values()].flatMap(([newest]) => newest ?? []);
}

async function repeat({ ports, turns }: Desk, { opened }: RunRow, deliveryId: string): Promise<string> {
  const { repository, pipeline, sha, trigger, digest } = opened;
  if (trigger.kind === 'pull-request' && trigger.fork) return forkSummary;
  const definition = await ports.journal.definition(digest);
  if (definition === null) return 'its definition is not in the journal';
  const active = await ports.journal.activeRuns(repository, pipeline);
  const inTheWay = active.find((other) => isInTheWay(opened, definition, other));
  if (inTheWay !== undefined) return `run ${inTheWay.id} is under way`;
  const again = await openRun(ports, turns, {
    key: `rerequested:${repository}:${pipeline}:${deliveryId}`,
    repository,
    sha,
    trigger,
    definition,
    digest,
    logicalDate: opened.logicalDate,
    dataIntervalEnd: opened.dataIntervalEnd,
    parameters: opened.parameters,
    alongside: null,
  });
  return 'skipped' in again ? again.skipped : `run ${again.runId}`;
}

/** The check of a pipeline on a commit is one, so is the run under way for it; and what is newer stays. */
function isInTheWay({ sha, trigger }: RunRow['opened'], definition: PipelineDefinition, { opened }: RunRow): boolean {
  return opened.sha === sha || definition.overlap === 'forbid' || replaces(definition, trigger, opened.trigger);
}
