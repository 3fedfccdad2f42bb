/** The demo with its steps as pods: the whole story, and a server that is killed while pods train. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setStage } from '../../src/demo/stage.ts';
import { championOf, settledStatus, until } from '../../src/demo/story.ts';
import { pushAll, readTraining, runningTrainings, tellWholeStory } from '../demo/training.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { executorIn } from './settings.ts';

let namespace: Namespace;

before(async () => {
  namespace = await makeNamespace();
});

after(() => namespace.remove());

/**
 * Asked while a server stands that takes their ends: a step that a schedule began just before the server is closed outlives
 * it, as it should.
 */
const noPodIsLeft = (): Promise<void> => namespace.waitForNone('pods');

test('the story of the demo is told with pods in place of processes, and none of them is left', async () => {
  await tellWholeStory({ executor: await executorIn(namespace.name) }, noPodIsLeft);
});

test('pods outlive a server that is killed, and the next one takes their ends: no step is lost, none runs twice', async () => {
  const stage = await setStage({ folder: null, port: 0, validate: true, executor: await executorIn(namespace.name) });
  try {
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
    for (const [name, { instances }] of run.steps)
      for (const { attempts } of instances ?? []) {
        // One that was written down and not yet handed over when the server died is tried again.
        const begun = attempts.filter(({ place }) => place !== null);
        assert.equal(begun.length, 1, `${name} needed one attempt: ${JSON.stringify(attempts)}`);
      }
    assert.deepEqual(stage.github.violations(), []);
    await noPodIsLeft();
  } finally {
    await stage.close();
  }
});
