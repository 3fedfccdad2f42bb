/** What the status of a commit says, where changes of more than one kind are about it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage } from '../simulation/stage.ts';
import { statusKey } from '../simulation/forge.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const asked = pipelineOf([stepOf({ name: 'only', timeoutMs: 1000 })], {
  name: 'asked',
  on: { schedule: null, push: null, pullRequest: { branches: [], paths: ['training/**'] } },
});

test('a pull request that changes nothing leaves the failure of its commit, of another one, as it is', async () => {
  const stage = await Stage.open({ pipelines: [asked] });
  const { world } = stage;
  world.attemptMs = 2000;
  const sha = stage.commit('feature');
  stage.propose(sha);
  await stage.until('the run has its end', () => world.history.runs.size === 1 && world.history.unfinished.size === 0);
  await stage.rest();
  const shown = (): unknown[] => [
    world.forge.statuses.get(statusKey(sha, 'asked'))?.state,
    [...world.forge.checkRuns.values()].at(-1)?.report.state,
  ];
  assert.deepEqual(shown(), ['failure', 'failure']);
  // From a base that stands at the commit already nothing is changed.
  world.remote.branches.set('release', sha);
  stage.propose(sha, { number: 2, baseBranch: 'release', baseSha: sha });
  await stage.until('the second one was looked at', () =>
    world.history.triggers.has(`pull-request:shop/models:asked:2:${sha}`),
  );
  await stage.rest();
  assert.equal(world.history.runs.size, 1);
  assert.deepEqual(shown(), ['failure', 'failure']);
});

test('a head that changes nothing beside its base branch, and does beside another, gets its run then', async () => {
  const stage = await Stage.open({ pipelines: [asked] });
  const { world } = stage;
  world.attemptMs = 500;
  const main = world.remote.branches.get('main');
  const sha = stage.commit('feature');
  world.remote.branches.set('release', sha);
  stage.propose(sha, { baseBranch: 'release', baseSha: sha });
  await stage.until('it was looked at', () => world.history.triggers.has(`pull-request:shop/models:asked:1:${sha}`));
  await stage.rest();
  assert.equal(world.forge.statuses.get(statusKey(sha, 'asked'))?.state, 'neutral');
  stage.propose(sha, { baseBranch: 'main', baseSha: main ?? '' });
  await stage.until('the run is there', () => world.history.runs.size === 1);
  await stage.rest();
  assert.equal(world.forge.statuses.get(statusKey(sha, 'asked'))?.state, 'success');
});
