import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readRun } from '../../src/conductor/read.ts';
import { setStage, type Stage } from '../../src/demo/stage.ts';
import { championOf, settledStatus, until } from '../../src/demo/story.ts';
import type { Run } from '../../src/engine/run.ts';
import { openSqliteReader } from '../../src/journal/sqlite-reader.ts';

test('a server killed while the demo trains goes on after its restart: nothing lost, nothing twice, no orphan', async () => {
  const stage = await setStage({ folder: null, port: 0, validate: true });
  try {
    await stage.git('add', '--all');
    await stage.git('commit', '--quiet', '-m', 'Predict damage from bird strikes');
    const sha = await stage.git('rev-parse', 'HEAD');
    await stage.git('push', '--quiet', 'origin', 'HEAD:refs/heads/main');
    const before = await until('a training that runs', () =>
      readTraining(stage, sha, (run) => runningTrainings(run) > 0),
    );
    await stage.killServer();
    await until('the end of every process of the killed server', () => (processesOf(stage).length === 0 ? true : null));
    await stage.startServerAgain();

    const status = await settledStatus(stage, sha);
    assert.equal(status.state, 'success', status.description ?? '');
    const champion = await until('the champion', () => championOf(stage, 'birdstrikes'));
    assert.equal(champion.version, 1);
    assert.equal(champion.runId, before.opened.runId);

    const after = await until('the end of the run', () => readTraining(stage, sha, (run) => run.finishedAt !== null));
    const attempts = [...after.steps.values()].flatMap((step) =>
      (step.instances ?? []).map((instance) => instance.attempts),
    );
    for (const tries of attempts) {
      const outcomes = tries.map((attempt) => attempt.outcome?.kind);
      assert.equal(outcomes.filter((kind) => kind === 'succeeded').length, 1, 'each instance succeeded once');
      const lost = tries
        .slice(0, -1)
        .map((attempt) => (attempt.outcome?.kind === 'failed' ? attempt.outcome.cause : ''));
      assert.ok(
        lost.every((cause) => cause === 'lost'),
        `tries before the last were lost, not ${lost.join(', ')}`,
      );
    }
    assert.ok(
      attempts.some((tries) => tries.length > 1),
      'the kill hit an attempt',
    );
    assert.deepEqual(stage.github.violations(), []);
  } finally {
    await stage.close();
  }
});

/** The run of a commit, read beside its server, once `wanted` accepts it. */
async function readTraining(stage: Stage, sha: string, wanted: (run: Run) => boolean): Promise<Run | null> {
  const journal = await openSqliteReader({ directory: stage.stateFolder });
  try {
    const [row] = await journal.runs({ sha, pipeline: 'birdstrikes', limit: 1 });
    const run = row === undefined ? null : await readRun(journal, row.id);
    return run !== null && wanted(run) ? run : null;
  } finally {
    await journal.close();
  }
}

function runningTrainings(run: Run): number {
  return (run.steps.get('train')?.instances ?? []).filter((instance) => instance.state === 'running').length;
}

/** Processes whose command line or environment names the folder of the stage. */
function processesOf(stage: Stage): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8') + readFileSync(`/proc/${name}/environ`, 'utf8');
        return words.includes(`${stage.folder}/server`);
      } catch {
        return false;
      }
    });
}
