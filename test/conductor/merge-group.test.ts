/** Groups of a merge queue that nobody tells of, and which of their names are one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchGroup, mergeGroupOf } from '../../src/conductor/triggers/merge-group.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const base = 'a'.repeat(40);
const on = { schedule: null, push: null, pullRequest: { branches: [], paths: [] } };
const checked = pipelineOf([stepOf({ name: 'only' })], { name: 'checked', on });

test('the branch of a group tells what it will be merged into and what it stands on', () => {
  assert.deepEqual(mergeGroupOf(`gh-readonly-queue/main/pr-5-${base}`), { baseBranch: 'main', baseSha: base });
  assert.deepEqual(mergeGroupOf(`gh-readonly-queue/release/1/pr-12-${base}`), {
    baseBranch: 'release/1',
    baseSha: base,
  });
  assert.deepEqual(mergeGroupOf('gh-readonly-queue/main/pr-5-other'), { baseBranch: 'main', baseSha: null });
  for (const branch of [
    'main',
    'gh-readonly-queue',
    'gh-readonly-queue/main',
    `topic/gh-readonly-queue/main/pr-5-${base}`,
  ])
    assert.equal(mergeGroupOf(branch), null, branch);
});

test('who listens to the branch of the group itself runs there as before', () => {
  const group = { baseBranch: 'main', baseSha: null };
  const change = { paths: ['a.md'], file: '.pipelines/own.ts', files: new Set<string>() };
  const match = (given: Partial<PipelineDefinition['on']>): unknown =>
    matchGroup({ ...checked, on: { ...on, ...given } }, 'gh-readonly-queue/main/pr-5-x', group, change);
  const push = { branches: ['gh-readonly-queue/**'], tags: [], paths: ['b/**'] };
  assert.equal(match({ pullRequest: null }), null);
  assert.deepEqual(match({ push }), { affected: true }, 'as a pull request');
  assert.deepEqual(match({ push, pullRequest: null }), { affected: false });
  assert.deepEqual(match({ push: { ...push, paths: [] }, pullRequest: null }), { affected: true });
  assert.equal(match({ pullRequest: { branches: ['release/*'], paths: [] } }), null);
  assert.deepEqual(match({ pullRequest: { branches: ['main'], paths: ['b/**'] } }), { affected: false });
});

test('a group that only polling finds runs, and is cancelled when it is gone', async () => {
  const stage = await Stage.open({ pipelines: [checked] });
  stage.world.attemptMs = 20 * 60_000;
  const { remote, history } = stage.world;
  const branch = `gh-readonly-queue/main/pr-5-${remote.branches.get('main') ?? ''}`;
  const runs = (): readonly KeptRun[] => [...history.runs.values()];
  const sha = stage.commit(branch);
  await stage.until('it runs', () => runs().length === 1, 20 * 60_000);
  assert.deepEqual(runs()[0]?.opened.trigger, { kind: 'push', branch, actor: 'unknown' });
  assert.equal(runs()[0]?.opened.sha, sha);
  remote.branches.delete(branch);
  await stage.until('it is cancelled', () => runs()[0]?.state === 'cancelled', 20 * 60_000);
});
