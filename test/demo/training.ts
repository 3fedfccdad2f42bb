/** The training of the demo, as its journal tells it beside the server. */
import assert from 'node:assert/strict';
import { readRun } from '../../src/conductor/read.ts';
import { runDemo } from '../../src/demo/demo.ts';
import type { Stage, StageOptions } from '../../src/demo/stage.ts';
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

/**
 * Tells the story of the demo with its steps elsewhere, held to GitHub's schema; fails where any step of it went wrong.
 * `afterwards` is called while the server still stands.
 */
export async function tellWholeStory(
  elsewhere: Pick<StageOptions, 'executor' | 'environment'>,
  afterwards: () => Promise<void> = async () => undefined,
): Promise<void> {
  const [facts, wrong]: [string[], string[]] = [[], []];
  const told = await runDemo({
    folder: null,
    port: 0,
    validate: true,
    ...elsewhere,
    interrupted: new Promise(() => undefined),
    afterwards,
    narrator: {
      chapter: () => undefined,
      link: () => undefined,
      fact: (text) => void facts.push(text),
      wrong: (text) => void wrong.push(text),
    },
  });
  assert.deepEqual(wrong, []);
  assert.equal(told, 0);
  assert.ok(facts.length >= 10, facts.join('\n'));
}

/** Pushes the repository of the demo as it is; gives the commit. */
export async function pushAll(stage: Stage): Promise<string> {
  await stage.git('add', '--all');
  await stage.git('commit', '--quiet', '-m', 'Predict damage from bird strikes');
  await stage.git('push', '--quiet', 'origin', 'HEAD:refs/heads/main');
  return stage.git('rev-parse', 'HEAD');
}
