/** A commit that was kept while its caller heard an error: what follows from it is done all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const push = { branches: [], tags: [], paths: [] };
const pushed = pipelineOf([stepOf({ name: 'only' })], {
  name: 'pushed',
  on: { schedule: null, push, pullRequest: null },
});
const everyFiveMinutes = { cron: '*/5 * * * *', timeZone: 'UTC', catchup: 'latest' } as const;
const ticking = pipelineOf([stepOf({ name: 'only' })], {
  name: 'ticking',
  on: { schedule: everyFiveMinutes, push: null, pullRequest: null },
});

test('a run of a push whose opening was kept without an answer goes on', async () => {
  const stage = await Stage.open({ pipelines: [pushed] });
  stage.interfereOnce('open-run', 'unanswered');
  stage.push();
  await stage.until('the run was opened', () => stage.world.history.runs.size > 0);
  await stage.until('it ended', () => stage.run('pushed').state === 'success', 30_000);
  await stage.rest();
});

test('a run of a tick whose opening was kept without an answer goes on', async () => {
  const stage = await Stage.open({ pipelines: [ticking] });
  stage.interfereOnce('open-run', 'unanswered');
  await stage.until('the run was opened', () => stage.world.history.runs.size > 0);
  await stage.until('it ended', () => stage.run('ticking').state === 'success', 30_000);
  await stage.rest();
});

test('a webhook that was kept without an answer is handled without another one', async () => {
  const stage = await Stage.open({ pipelines: [pushed] });
  stage.interfereOnce('delivery', 'unanswered');
  stage.hook({ type: 'ping' });
  await stage.until('the webhook was kept', () => stage.world.history.deliveries.size > 0);
  await stage.rest();
  assert.equal([...stage.world.history.deliveries.values()][0]?.state, 'done');
});

test('an attempt whose start was kept without an answer runs, and keeps its slot from others', async () => {
  const other = { ...pushed, name: 'other' };
  const stage = await Stage.open({ pipelines: [pushed, other], slots: 1 });
  stage.world.attemptMs = 3000;
  stage.interfereOnce('attempt-started', 'unanswered');
  stage.push();
  await stage.until('both runs were opened', () => stage.world.history.runs.size === 2);
  await stage.rest();
  assert.deepEqual([stage.run('pushed').state, stage.run('other').state], ['success', 'success']);
});

test('an attempt whose start was refused gives its slot back', async () => {
  const stage = await Stage.open({ pipelines: [pushed], slots: 1 });
  stage.interfereOnce('attempt-started', 'refused');
  stage.push();
  await stage.until('the run was opened', () => stage.world.history.runs.size === 1);
  await stage.rest();
  assert.equal(stage.run('pushed').state, 'success');
});
