import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setStage, type Stage } from '../../src/demo/stage.ts';
import { championOf, settledStatus, until } from '../../src/demo/story.ts';
import { pushAll, readTraining, runningTrainings } from './training.ts';

test('a server killed while the demo trains goes on after its restart: nothing lost, nothing twice, no orphan', async () => {
  const stage = await setStage({ folder: null, port: 0, validate: true });
  try {
    const sha = await pushAll(stage);
    const before = await until('a training that runs', () =>
      readTraining(stage, sha, (run) => runningTrainings(run) > 0),
    );
    await stage.killServer();
    await until('the end of every process of the killed server', () => (processesOf(stage).length === 0 ? true : null));
    const left = await until('what it left', () => readTraining(stage, sha, () => true));
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
    const wasHit = [...left.steps.values()]
      .flatMap((step) => (step.instances ?? []).flatMap((instance) => instance.attempts))
      .some(({ place, outcome }) => place !== null && outcome === null);
    assert.ok(!wasHit || attempts.some((tries) => tries.length > 1), 'what the kill hit was tried again');
    assert.deepEqual(stage.github.violations(), []);
  } finally {
    await stage.close();
  }
});

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
