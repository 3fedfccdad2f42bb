/** Somebody pressed "Re-run" beside a check: what ran there runs once more, whole and of the same version. */
import type { ForgeEvent } from '../../forge/forge.ts';
import type { RunRow } from '../../journal/journal.ts';
import type { Desk, Handled } from '../desk.ts';
import type { Project } from '../ports.ts';
import { runThatSpeaks } from '../reports/report-writes.ts';
import { rerun } from './reruns.ts';

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
  for (const run of runs) notes.push(`${run.opened.pipeline}: ${await repeat(desk, run, event.actor, deliveryId)}`);
  return { state: 'done', note: `asked for by ${event.actor}; ${notes.join('; ')}` };
}

/** The run that the check shows or, of a whole commit, the one that speaks for each pipeline. */
async function runsToRepeat(
  { ports: { journal } }: Desk,
  { name: repository }: Project,
  { sha, runId }: RerequestedEvent,
): Promise<readonly RunRow[]> {
  if (runId !== null) {
    const run = await journal.run(runId);
    return run?.opened.repository === repository ? [run] : [];
  }
  const runs: RunRow[] = [];
  for (const { pipeline } of (await journal.versions(repository, sha)) ?? []) {
    const run = pipeline === null ? null : await runThatSpeaks(journal, { repository, pipeline, sha });
    if (run !== null) runs.push(run);
  }
  return runs;
}

async function repeat(desk: Desk, { id }: RunRow, actor: string, deliveryId: string): Promise<string> {
  const again = await rerun(desk, { runId: id, steps: 'all', atHead: false, actor, key: deliveryId });
  if (again.ok) return `run ${again.value}`;
  return typeof again.error === 'string' ? again.error : again.error.message;
}
