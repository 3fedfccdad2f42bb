/** What is said of the heads of strangers' pull requests, by the pipelines of their base. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportState } from '../../src/forge/forge.ts';
import { fileOf } from '../simulation/pipelines.ts';
import { repositoryName } from '../simulation/server.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf } from '../support/definitions.ts';

const on = { schedule: null, push: null };
const narrow = pipelineOf([], { name: 'narrow', on: { ...on, pullRequest: { branches: [], paths: ['data/**'] } } });
const wide = pipelineOf([], { name: 'wide', on: { ...on, pullRequest: { branches: [], paths: [] } } });
const elsewhere = pipelineOf([], { name: 'wide', on: { ...on, pullRequest: { branches: ['never'], paths: [] } } });
const deafToWords = pipelineOf([], {
  name: 'wide',
  on: { ...on, pullRequest: { branches: [], paths: ['data/**'] } },
});
const unpushed = pipelineOf([], { name: 'unpushed', on: { ...on, pullRequest: null } });

const waiting = ['waiting', ['fork-untrusted']];
const unconcerned = ['neutral', []];

/** What the checks say of a fork that changes these files. */
async function saidOf(
  texts: Readonly<Record<string, string | null>>,
  given: { readonly message?: string; readonly isHuge?: boolean } = {},
): Promise<{ readonly stage: Stage; readonly said: Readonly<Record<string, unknown>> }> {
  const stage = await Stage.open({ pipelines: [narrow, wide, unpushed], later: [elsewhere] });
  const { world } = stage;
  const head = stage.commit('feature', undefined, texts, given.message);
  const base = world.remote.branches.get('main');
  assert.ok(base !== undefined);
  if (given.isHuge === true) world.remote.huge.add(head);
  stage.propose(head, { fork: true });
  await stage.until('the head was looked at', () =>
    [...world.history.triggers.keys()].some((key) => key.startsWith('looked:') && key.endsWith(head)),
  );
  await stage.rest();
  const reports = [...world.forge.statuses.values()].filter(({ sha }) => sha === head);
  const said = reports.map(({ pipeline, state, problems }): [string, [ReportState, string[]]] => [
    pipeline,
    [state, problems.map(({ code }) => code)],
  ]);
  return { stage, said: Object.fromEntries(said) };
}

test('what it changes waits for a person, and what it does not concern says so', async () => {
  assert.deepEqual((await saidOf({ 'readme.md': 'words' })).said, { narrow: unconcerned, wide: waiting });
  assert.deepEqual((await saidOf({ 'data/birds.csv': 'rows' })).said, { narrow: waiting, wide: waiting });
});

test('its own definitions and words decide nothing', async () => {
  const both = { narrow: waiting, wide: waiting };
  // The later `wide` listens to no pull request onto main any more.
  const deaf = { '.pipelines/wide.ts': fileOf('wide', 1) };
  assert.deepEqual((await saidOf(deaf)).said, { narrow: unconcerned, wide: waiting });
  assert.deepEqual((await saidOf({ '.pipelines/wide.ts': null, '.pipelines/narrow.ts': null })).said, both);
  assert.deepEqual((await saidOf({ '.pipelines/narrow.ts': 'broken' })).said, both);
  assert.deepEqual((await saidOf({ '.pipelines/shared/gate.ts': '' })).said, both);
  assert.deepEqual((await saidOf({ 'data/birds.csv': 'rows' }, { message: 'Change [skip ci]' })).said, both);
});

test('one that is too large to be fetched may change anything, and nothing of it is compiled', async () => {
  const { stage, said } = await saidOf({ '.pipelines/unpushed.ts': null }, { isHuge: true });
  assert.deepEqual([said, stage.world.forge.changes], [{ narrow: waiting, wide: waiting }, []]);
});

test('one head onto two bases waits as long as one of them is concerned, whichever came first', async () => {
  for (const order of [
    ['main', 'release'],
    ['release', 'main'],
  ]) {
    const stage = await Stage.open({ pipelines: [wide], later: [deafToWords] });
    const { remote, history, forge } = stage.world;
    const main = remote.branches.get('main');
    assert.ok(main !== undefined);
    stage.commit('release', [main], { '.pipelines/wide.ts': fileOf('wide', 1) });
    const head = stage.commit('feature', [main], { 'readme.md': 'words' });
    for (const [index, baseBranch] of order.entries()) {
      const looked = `looked:${repositoryName}:${index + 1}:${baseBranch}:${head}`;
      const baseSha = remote.branches.get(baseBranch) ?? '';
      stage.propose(head, { number: index + 1, fork: true, baseBranch, baseSha });
      await stage.until(`${baseBranch} was looked at`, () => history.triggers.has(looked));
      await stage.rest();
    }
    const states = [...forge.statuses.values()].filter(({ sha }) => sha === head).map(({ state }) => state);
    assert.deepEqual(states, ['waiting']);
  }
});
