/** The comment on a pull request is one for all of its commits, and about the head. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const asked = pipelineOf([stepOf({ name: 'only' })], {
  name: 'asked',
  on: { schedule: null, push: null, pullRequest: { branches: [], paths: [] } },
});

test('a run of an older commit that ends last does not take the comment over', async () => {
  const stage = await Stage.open({ pipelines: [asked] });
  const { world } = stage;
  world.attemptMs = 60_000;
  stage.propose(stage.commit('feature'));
  await stage.until('the older commit runs', () => (world.server?.executor.running().length ?? 0) === 1);
  world.attemptMs = 1000;
  const newer = stage.commit('feature');
  stage.propose(newer);
  await stage.until('the newer commit runs', () => world.history.runs.size === 2);
  await stage.rest();
  const [comment, second] = world.forge.comments;
  assert.equal(second, undefined);
  assert.deepEqual([comment?.report.sha, comment?.report.state], [newer, 'success']);
});
