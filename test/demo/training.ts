/** The training of the demo, as its journal tells it beside the server. */
import { readRun } from '../../src/conductor/read.ts';
import type { Stage } from '../../src/demo/stage.ts';
import type { Run } from '../../src/engine/run.ts';
import { openSqliteReader } from '../../src/journal/sqlite-reader.ts';

/** The run of a commit, read beside its server, once `wanted` accepts it. */
export async function readTraining(stage: Stage, sha: string, wanted: (run: Run) => boolean): Promise<Run | null> {
  const journal = await openSqliteReader({ directory: stage.stateFolder });
  try {
    const [row] = await journal.runs({ sha, pipeline: 'birdstrikes', limit: 1 });
    const run = row === undefined ? null : await readRun(journal, row.id);
    return run !== null && wanted(run) ? run : null;
  } finally {
    await journal.close();
  }
}

export function runningTrainings(run: Run): number {
  return (run.steps.get('train')?.instances ?? []).filter((instance) => instance.state === 'running').length;
}

/** Pushes the repository of the demo as it is; gives the commit. */
export async function pushAll(stage: Stage): Promise<string> {
  await stage.git('add', '--all');
  await stage.git('commit', '--quiet', '-m', 'Predict damage from bird strikes');
  await stage.git('push', '--quiet', 'origin', 'HEAD:refs/heads/main');
  return stage.git('rev-parse', 'HEAD');
}
