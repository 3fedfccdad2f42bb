/** The demo with its steps on workers: the whole story, and a server that is killed while they train. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { setStage, type StageOptions } from '../../src/demo/stage.ts';
import { championOf, settledStatus, until } from '../../src/demo/story.ts';
import { startTestFleet } from '../support/fleet.ts';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.ts';
import { pushAll, readTraining, runningTrainings, tellWholeStory } from './training.ts';

const skip = redisMissing();
let redis: TestRedis;
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(() => (skip === false ? redis.stop() : undefined));

/** A worker beside it takes all steps. */
async function withFleet(t: TestContext): Promise<Pick<StageOptions, 'executor' | 'environment'>> {
  const fleet = await startTestFleet(redis);
  t.after(() => fleet.end());
  return fleet;
}

test('the story of the demo is told with workers in place of processes of the server', { skip }, async (t) => {
  await tellWholeStory(await withFleet(t));
});

test('workers outlive a server that is killed: what they train goes on, and runs once', { skip }, async (t) => {
  const stage = await setStage({ folder: null, port: 0, validate: true, ...(await withFleet(t)) });
  t.after(() => stage.close());
  const sha = await pushAll(stage);
  await until('a training that runs', () => readTraining(stage, sha, (run) => runningTrainings(run) > 0));
  await stage.killServer();
  await stage.startServerAgain();
  const status = await settledStatus(stage, sha);
  assert.equal(status.state, 'success', status.description ?? '');
  await until('the champion', () => championOf(stage, 'birdstrikes'));
  const run = await until('the end of the run', () =>
    readTraining(stage, sha, ({ finishedAt }) => finishedAt !== null),
  );
  for (const [name, { instances }] of run.steps) {
    for (const { attempts } of instances ?? []) {
      // One that was written down and not yet handed over when the server died is tried again.
      const begun = attempts.filter(({ place }) => place !== null);
      assert.equal(begun.length, 1, `${name} ran once: ${JSON.stringify(attempts)}`);
    }
  }
  assert.deepEqual(stage.github.violations(), []);
});
