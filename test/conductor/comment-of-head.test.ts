/** The comment on a pull request is one for all of its commits, and about the head. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusKey } from '../simulation/forge.ts';
import { refusesIdsOfComments, Stage } from '../simulation/stage.ts';
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

test('what is wrong with a head that has no run is not lost when the run of an older commit ends', async () => {
  const stage = await Stage.open({ pipelines: [asked] });
  const { world } = stage;
  world.attemptMs = 60_000;
  stage.propose(stage.commit('feature'));
  await stage.until('the older commit runs', () => (world.server?.executor.running().length ?? 0) === 1);
  const broken = stage.commit('feature', undefined, { '.pipelines/asked.ts': 'broken' });
  stage.propose(broken);
  await stage.until('the comment says so', () => world.forge.comments[0]?.report.state === 'error');
  await stage.until('the run has its end', () => world.history.unfinished.size === 0);
  await stage.rest();
  const [comment, second] = world.forge.comments;
  assert.equal(second, undefined);
  assert.deepEqual([comment?.report.sha, comment?.report.state], [broken, 'error']);
});

test('a head that asks for no run takes the comment from the run of an older commit', async () => {
  const stage = await Stage.open({ pipelines: [asked] });
  const { world } = stage;
  world.attemptMs = 60_000;
  stage.propose(stage.commit('feature'));
  await stage.until('the older commit is told of', () => world.forge.comments[0]?.report.state === 'running');
  const newer = stage.commit('feature', undefined, {}, 'Change words [skip ci]');
  stage.propose(newer);
  await stage.until('the run has its end', () => world.history.unfinished.size === 0 && world.history.runs.size === 1);
  await stage.rest();
  const [comment] = world.forge.comments;
  assert.deepEqual([comment?.report.sha, comment?.report.state], [newer, 'neutral']);
});

test('a comment whose id was never kept is about the head too', async () => {
  const stage = await Stage.open({ pipelines: [asked] });
  const { world } = stage;
  world.attemptMs = 60_000;
  world.interfere = refusesIdsOfComments;
  stage.propose(stage.commit('feature'));
  await stage.until('the older commit is told of', () => world.forge.comments[0]?.report.state === 'running');
  const newer = stage.commit('feature', undefined, {}, 'Change words [skip ci]');
  stage.propose(newer);
  const status = (): string | undefined => world.forge.statuses.get(statusKey(newer, 'asked'))?.state;
  await stage.until('the newer commit is told of', () => status() === 'neutral');
  world.interfere = () => null;
  await stage.rest();
  const [comment, second] = world.forge.comments;
  assert.equal(second, undefined);
  assert.deepEqual([comment?.report.sha, comment?.report.state], [newer, 'neutral']);
});

test('a head that comes back has the comment again, once', async () => {
  const stage = await Stage.open({ pipelines: [asked] });
  const { world } = stage;
  const first = stage.commit('feature');
  stage.propose(first);
  await stage.until('it is told of', () => world.forge.comments[0]?.report.state === 'success');
  const second = stage.commit('feature');
  stage.propose(second);
  await stage.until('the next one is told of', () => {
    const report = world.forge.comments[0]?.report;
    return report?.sha === second && report.state === 'success';
  });
  await stage.rest();
  stage.propose(first);
  await stage.until('the first one is told of again', () => world.forge.comments[0]?.report.sha === first);
  await stage.rest();
  const key = [...world.history.outbox.keys()].find((each) => each.startsWith('comment:') && each.endsWith(':asked'));
  const row = world.history.outbox.get(key ?? '');
  stage.propose(first);
  await stage.rest();
  assert.ok(row !== undefined && world.history.outbox.get(key ?? '') === row, 'it is not asked for a second time');
  assert.deepEqual([world.forge.comments.length, world.history.runs.size], [1, 2]);
});
