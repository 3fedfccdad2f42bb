/** What a broken file is told of under: the name that its pipeline had, so that no required status hangs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sha } from '../../src/git/git.ts';
import { statusKey } from '../simulation/forge.ts';
import { fileOf } from '../simulation/pipelines.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const churn = pipelineOf([stepOf({ name: 'only' })], {
  name: 'weekly',
  on: {
    schedule: null,
    push: { branches: [], tags: [], paths: [] },
    pullRequest: { branches: [], paths: [] },
  },
});
const whole = fileOf('weekly', 1);
const broken = 'broken(';

type Files = Readonly<Record<string, string>>;

function commit(stage: Stage, branch: string, files: Files, parent?: Sha): Sha {
  const { remote, time } = stage.world;
  const from = parent ?? remote.branches.get('main');
  const contents = Object.entries(files).map(([name, text]) => [`.pipelines/${name}`, text] as const);
  const sha = remote.commit(from === undefined ? [] : [from], new Map(contents), 'Change', time.now);
  remote.branches.set(branch, sha);
  return sha;
}

async function push(stage: Stage, files: Files): Promise<Sha> {
  const before = stage.world.remote.branches.get('main') ?? null;
  const after = commit(stage, 'main', files);
  stage.hook({ type: 'push', ref: 'refs/heads/main', before, after, actor: 'ada' });
  await stage.until('the push was looked at', () => stage.world.history.heads.get('main') === after);
  await stage.rest();
  return after;
}

/** Names of the pipelines that a commit has a status of, each with its state. */
function statusesOf(stage: Stage, sha: Sha): Files {
  const own = [...stage.world.forge.statuses].filter(([key, { pipeline }]) => key === statusKey(sha, pipeline));
  return Object.fromEntries(own.map(([, { pipeline, state }]) => [pipeline, state]));
}

test('a broken file is told of under the name that its pipeline had, from one broken commit to the next', async () => {
  const stage = await Stage.open({ pipelines: [churn] });
  await push(stage, { 'train.ts': whole });
  for (const time of ['first', 'second', 'third']) {
    const sha = await push(stage, { 'train.ts': broken });
    assert.deepEqual(statusesOf(stage, sha), { weekly: 'error' }, time);
    stage.world.crash(1000);
    await stage.rest();
  }
});

test('so is one of a pull request, and of a branch whose own commits nobody had looked at', async () => {
  const stage = await Stage.open({ pipelines: [churn] });
  const old = await push(stage, { 'other.ts': whole });
  await push(stage, { 'train.ts': whole });
  const proposed = commit(stage, 'feature', { 'train.ts': broken });
  stage.propose(proposed);
  await stage.rest();
  assert.deepEqual(statusesOf(stage, proposed), { weekly: 'error' });
  const unseen = commit(stage, 'aside', { 'train.ts': whole }, old);
  const aside = commit(stage, 'aside', { 'train.ts': broken }, unseen);
  stage.propose(aside, { number: 2, headBranch: 'aside' });
  await stage.rest();
  assert.deepEqual(statusesOf(stage, aside), { weekly: 'error' });
});

test('the nearest earlier name counts, not that of another branch', async () => {
  const stage = await Stage.open({ pipelines: [churn, { ...churn, name: 'daily' }] });
  await push(stage, { 'train.ts': whole });
  const renamed = commit(stage, 'feature', { 'train.ts': fileOf('daily', 1) });
  stage.propose(renamed);
  await stage.rest();
  assert.deepEqual(statusesOf(stage, await push(stage, { 'train.ts': broken })), { weekly: 'error' });
  const next = commit(stage, 'feature', { 'train.ts': broken }, renamed);
  stage.propose(next);
  await stage.rest();
  assert.deepEqual(statusesOf(stage, next), { daily: 'error' });
});

test('a file that never was whole has its own name, and none takes that of a whole pipeline', async () => {
  const stage = await Stage.open({ pipelines: [churn] });
  await push(stage, { 'train.ts': whole });
  const moved = await push(stage, { 'train.ts': broken, 'moved.ts': whole, 'weekly.ts': broken });
  assert.deepEqual(statusesOf(stage, moved), { train: 'error', weekly: 'success', 'weekly.ts': 'error' });
});
