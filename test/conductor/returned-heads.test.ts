/** Heads that come back to a commit whose run was cancelled for the sake of a newer one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sha } from '../../src/git/git.ts';
import { statusKey } from '../simulation/forge.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const every = { branches: ['*'], tags: [], paths: [] };
const hasty = pipelineOf([stepOf({ name: 'only' })], {
  name: 'hasty',
  on: { schedule: null, push: null, pullRequest: { branches: [], paths: [] } },
  cancelInProgress: true,
});

/** The states of the runs of a commit, in the order of their opening. */
function statesOf(stage: Stage, sha: Sha): readonly string[] {
  return [...stage.world.history.runs.values()].filter(({ opened }) => opened.sha === sha).map(({ state }) => state);
}

async function running(stage: Stage, sha: Sha): Promise<void> {
  await stage.until('the commit runs', () => statesOf(stage, sha).at(-1) === 'running');
}

test('a pull request that comes back to a commit has the run again that its newer commit replaced, once', async () => {
  const stage = await Stage.open({ pipelines: [hasty] });
  const { world } = stage;
  const { branches } = world.remote;
  world.attemptMs = 60_000;
  const first = stage.commit('feature');
  stage.propose(first);
  await running(stage, first);
  const second = stage.commit('feature');
  stage.propose(second);
  await running(stage, second);
  await stage.until('the first is cancelled', () => statesOf(stage, first)[0] === 'cancelled');
  // News that are old by now open nothing.
  stage.hook({ type: 'pull-request', action: 'reopened', pullRequest: stage.proposed(first), actor: 'grace' });
  await stage.until('they are handled', () =>
    [...world.history.deliveries.values()].every(({ state }) => state !== 'pending'),
  );
  assert.deepEqual(statesOf(stage, first), ['cancelled']);

  branches.set('feature', first);
  const pullRequest = stage.propose(first);
  await running(stage, first);
  for (const id of ['again', 'and again'])
    stage.hook({ type: 'pull-request', action: 'synchronize', pullRequest, actor: id }, id);
  await stage.rest();
  assert.deepEqual(statesOf(stage, first), ['cancelled', 'success']);
  assert.deepEqual(statesOf(stage, second), ['cancelled']);
  assert.equal(world.forge.statuses.get(statusKey(first, 'hasty'))?.state, 'success');

  branches.set('feature', second);
  stage.propose(second);
  await stage.until('the second runs again', () => statesOf(stage, second).length === 2);
  await stage.rest();
  assert.deepEqual(statesOf(stage, second), ['cancelled', 'success']);
});

test('a branch that is forced back has the run again that its newer commit replaced', async () => {
  const pushed = { ...hasty, on: { schedule: null, push: every, pullRequest: null } };
  const stage = await Stage.open({ pipelines: [pushed] });
  const { world } = stage;
  world.attemptMs = 60_000;
  const first = stage.push('feature');
  await running(stage, first);
  const second = stage.push('feature');
  await running(stage, second);
  world.remote.branches.set('feature', first);
  stage.hook({ type: 'push', ref: 'refs/heads/feature', before: second, after: first, actor: 'ada' });
  await stage.until('the first runs again', () => statesOf(stage, first).length === 2);
  await stage.rest();
  assert.deepEqual(statesOf(stage, first), ['cancelled', 'success']);
  assert.deepEqual(statesOf(stage, second), ['cancelled']);
  assert.equal(world.forge.statuses.get(statusKey(first, 'hasty'))?.state, 'success');
});

test('a commit whose run a person cancelled does not run by itself when the head comes back to it', async () => {
  const stage = await Stage.open({ pipelines: [hasty] });
  const { world } = stage;
  world.attemptMs = 60_000;
  const first = stage.commit('feature');
  stage.propose(first);
  await running(stage, first);
  stage.cancel(stage.run('hasty'));
  await stage.until('it is cancelled', () => statesOf(stage, first)[0] === 'cancelled');
  const second = stage.commit('feature');
  stage.propose(second);
  await running(stage, second);
  world.remote.branches.set('feature', first);
  stage.propose(first);
  await stage.rest();
  assert.deepEqual(statesOf(stage, first), ['cancelled']);
});
