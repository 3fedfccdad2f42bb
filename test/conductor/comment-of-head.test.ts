/** The comment on a pull request is one for all of its commits, and about the head. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullRequest } from '../../src/forge/forge.ts';
import type { Sha } from '../../src/git/git.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const asked = pipelineOf([stepOf({ name: 'only' })], {
  name: 'asked',
  on: { schedule: null, push: null, pullRequest: { branches: [], paths: [] } },
});

/** The pull request moves to that commit. */
function movedTo({ world }: Stage, headSha: Sha): PullRequest {
  const pullRequest: PullRequest = {
    number: 1,
    state: 'open',
    merged: false,
    mergeSha: null,
    headSha,
    headBranch: 'feature',
    baseBranch: 'main',
    baseSha: world.remote.branches.get('main') ?? '',
    fork: false,
    author: 'grace',
    title: 'A change',
  };
  world.remote.pullRequestHeads.add(headSha);
  world.forge.pullRequests.set(1, pullRequest);
  return pullRequest;
}

test('a run of an older commit that ends last does not take the comment over', async () => {
  const stage = await Stage.open({ pipelines: [asked] });
  const { world } = stage;
  world.attemptMs = 60_000;
  const actor = 'grace';
  const older = stage.commit('feature');
  stage.hook({ type: 'pull-request', action: 'opened', pullRequest: movedTo(stage, older), actor });
  await stage.until('the older commit runs', () => (world.server?.executor.running().length ?? 0) === 1);
  world.attemptMs = 1000;
  const newer = stage.commit('feature');
  const pullRequest = movedTo(stage, newer);
  stage.hook({ type: 'pull-request', action: 'synchronize', pullRequest, actor });
  await stage.until('the newer commit runs', () => world.history.runs.size === 2);
  await stage.rest();
  const [comment, second] = world.forge.comments;
  assert.equal(second, undefined);
  assert.deepEqual([comment?.report.sha, comment?.report.state], [newer, 'success']);
});
