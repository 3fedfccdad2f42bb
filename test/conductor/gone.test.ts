/** Branches that are deleted and pull requests that are closed: what becomes of the runs that were under way there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullRequest } from '../../src/forge/forge.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const on = {
  schedule: null,
  push: { branches: ['**'], tags: [], paths: [] },
  pullRequest: { branches: [], paths: [] },
};
const hourMs = 3_600_000;

/** One pipeline that cancels for a newer commit, and one that does not; their runs take an hour. */
async function open(): Promise<Stage> {
  const pipelines = [true, false].map((cancelInProgress) =>
    pipelineOf([stepOf({ name: 'only' })], { name: cancelInProgress ? 'newest' : 'each', on, cancelInProgress }),
  );
  const stage = await Stage.open({ pipelines });
  stage.world.attemptMs = hourMs;
  return stage;
}

function runs(stage: Stage, pipeline: string): readonly KeptRun[] {
  return [...stage.world.history.runs.values()].filter(({ opened }) => opened.pipeline === pipeline);
}

function states(stage: Stage): Readonly<Record<string, readonly string[]>> {
  const of = (pipeline: string): readonly string[] => runs(stage, pipeline).map(({ state }) => state);
  return { newest: of('newest'), each: of('each') };
}

async function running(stage: Stage, count: number): Promise<void> {
  await stage.until(`${count} of each`, () =>
    [runs(stage, 'newest'), runs(stage, 'each')].every((all) => all.length === count),
  );
}

async function passes(stage: Stage, ms: number): Promise<void> {
  const until = stage.world.time.now + ms;
  await stage.until('time has passed', () => stage.world.time.now >= until, ms + 60_000);
}

async function propose(stage: Stage): Promise<PullRequest> {
  const headSha = stage.commit('topic');
  const baseSha = stage.world.remote.branches.get('main') ?? headSha;
  const of = { number: 7, headSha, headBranch: 'topic', baseBranch: 'main', baseSha, author: 'ada', title: 'x' };
  const own: PullRequest = { ...of, state: 'open', merged: false, mergeSha: null, fork: false };
  stage.world.remote.pullRequestHeads.add(headSha);
  stage.world.forge.pullRequests.set(7, own);
  stage.hook({ type: 'pull-request', action: 'opened', pullRequest: own, actor: 'ada' }, 'opened');
  await stage.until('it runs', () =>
    runs(stage, 'newest').some(({ opened }) => opened.trigger.kind === 'pull-request'),
  );
  return own;
}

test('a branch that is deleted takes those runs along that a newer commit would cancel', async () => {
  const stage = await open();
  const before = stage.push('topic');
  await running(stage, 1);
  stage.world.remote.branches.delete('topic');
  stage.hook({ type: 'push', ref: 'refs/heads/topic', before, after: null, actor: 'ada' }, 'deleted');
  await stage.until('it is cancelled', () => runs(stage, 'newest')[0]?.state === 'cancelled');
  assert.deepEqual(states(stage), { newest: ['cancelled'], each: ['running'] });
});

test('what was merged before its branch was deleted goes on, and so does what stands there again', async () => {
  const stage = await open();
  const { remote } = stage.world;
  const before = stage.push('topic');
  await running(stage, 1);
  stage.hook({ type: 'push', ref: 'refs/heads/topic', before, after: null, actor: 'ada' }, 'not so');
  await passes(stage, 60_000);
  remote.branches.set('main', before);
  remote.branches.delete('topic');
  stage.hook({ type: 'push', ref: 'refs/heads/topic', before, after: null, actor: 'ada' }, 'deleted');
  await stage.until('main runs too', () => runs(stage, 'newest').length === 2, 20 * 60_000);
  assert.deepEqual(states(stage).newest, ['running', 'running']);
});

for (const told of [true, false])
  test(`a pull request that is closed ${told ? '' : 'in silence '}takes its runs along, and no others`, async () => {
    const stage = await open();
    const own = await propose(stage);
    const isIts = ({ opened }: KeptRun): boolean => opened.trigger.kind === 'pull-request';
    const closed: PullRequest = { ...own, state: 'closed' };
    stage.world.forge.pullRequests.set(7, closed);
    if (told) stage.hook({ type: 'pull-request', action: 'closed', pullRequest: closed, actor: 'ada' }, 'closed');
    await stage.until(
      'it is cancelled',
      () => runs(stage, 'newest').find(isIts)?.state === 'cancelled',
      told ? 60_000 : 20 * 60_000,
    );
    assert.equal(runs(stage, 'each').find(isIts)?.state, 'running');
    const { runId = '' } = runs(stage, 'newest').find(isIts)?.opened ?? {};
    assert.match((await stage.world.journal.run(runId))?.reason ?? '', /#7, was closed without a merge/);
    const note = stage.world.history.deliveries.get('closed')?.note ?? '';
    assert.equal(note.endsWith(`cancels ${runId}`), told);
  });

test('a pull request that is merged, or open again by then, keeps its runs', async () => {
  for (const now of [
    { state: 'closed', merged: true },
    { state: 'open', merged: false },
  ] as const) {
    const stage = await open();
    const own = await propose(stage);
    stage.world.forge.pullRequests.set(7, { ...own, ...now });
    const pullRequest: PullRequest = { ...own, state: 'closed', merged: now.merged };
    stage.hook({ type: 'pull-request', action: 'closed', pullRequest, actor: 'ada' }, 'closed');
    await passes(stage, 15 * 60_000);
    assert.ok(Object.values(states(stage)).every((all) => all.every((state) => state === 'running')));
  }
});
