/** Work that was done before: when its output stands for doing it again, and what is said where it does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CacheLook } from '../../src/engine/event.ts';
import { readRun } from '../../src/conductor/read.ts';
import type { Sha } from '../../src/git/git.ts';
import type {
  Binding,
  CacheDefinition,
  PipelineDefinition,
  StepDefinition,
  Template,
} from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { fileOf } from '../simulation/pipelines.ts';
import { Stage } from '../simulation/stage.ts';
import { mapOver, noRetry, pipelineOf, stepOf } from '../support/definitions.ts';
import { outcomes } from '../support/drive.ts';

const toMain = { branches: ['main'], tags: [], paths: [] };
const always: CacheDefinition = { forMs: null, paths: [] };
const fixed: CacheDefinition = { forMs: null, paths: ['fixed/**'] };

function trained(cache: CacheDefinition, given: Partial<StepDefinition> = {}): PipelineDefinition {
  const train = stepOf({ name: 'train', retry: noRetry, cache, outputs: { model: 'artifact' }, ...given });
  const push = { schedule: null, push: toMain, pullRequest: { branches: [], paths: [] } };
  return pipelineOf([train], { name: 'own', on: push });
}

function runs(stage: Stage): readonly KeptRun[] {
  return [...stage.world.history.runs.values()];
}

/** A run by hand, at the commit where main stands unless another is given, to its end. */
async function once(stage: Stage, at?: Sha): Promise<KeptRun> {
  const before = runs(stage).length;
  stage.ask('own', at);
  await stage.until('it was opened', () => runs(stage).length > before);
  await stage.rest();
  const run = runs(stage).at(-1);
  assert.ok(run !== undefined);
  return run;
}

/** What was said of the cache, in the order of the attempts: the run that it was found in, or why it was not found. */
function said(run: KeptRun): readonly string[] {
  const looks = run.events.flatMap((event): CacheLook[] => (event.type === 'cache-looked-up' ? [event.look] : []));
  return looks.map((look) => (look.found ? look.runId : look.why));
}

const begun = (stage: Stage): number => stage.world.begun.size;

async function outputs(stage: Stage, run: KeptRun): Promise<unknown> {
  const folded = await readRun(stage.world.journal, run.opened.runId);
  return folded?.steps.get('train')?.instances?.map(({ output }) => output);
}

test('the same work at the same commit is done once', async () => {
  const stage = await Stage.open({ pipelines: [trained(always)] });
  const first = await once(stage);
  const second = await once(stage);
  const third = await once(stage);
  assert.deepEqual([first, second, third].map(said), [['first time'], [first.opened.runId], [first.opened.runId]]);
  assert.equal(begun(stage), 1);
  assert.equal(second.state, 'success');
  assert.deepEqual(await outputs(stage, third), await outputs(stage, first));
});

test('another commit is other code, unless the files that count are the same', async () => {
  for (const [cache, expected] of [
    [always, ['code changed']],
    [fixed, null],
  ] as const) {
    const stage = await Stage.open({ pipelines: [trained(cache)] });
    const first = await once(stage);
    stage.push();
    await stage.until('the push was run', () => runs(stage).length === 2);
    await stage.rest();
    const second = runs(stage)[1];
    assert.ok(second !== undefined);
    assert.deepEqual(said(second), expected ?? [first.opened.runId]);
  }
});

test('each value that it is given counts, by its name, and the date where it is referred to', async () => {
  const stage = await Stage.open({
    pipelines: [
      trained(always, {
        work: { kind: 'command', command: ['train'], environment: { AT: [{ context: 'timestamp' }], DEPTH: '3' } },
      }),
    ],
  });
  await once(stage);
  assert.deepEqual(said(await once(stage)), ['env AT changed']);
});

test('what a pod is made of counts, and where it runs does not', async () => {
  const at: Binding = { template: ['day-', { context: 'timestamp' }] };
  const inPod = (pod: Binding): readonly PipelineDefinition[] => [trained(always, { pod })];
  const elsewhere = await Stage.open({ pipelines: inPod({ record: { nodeSelector: { record: { pool: at } } } }) });
  const first = await once(elsewhere);
  assert.deepEqual(said(await once(elsewhere)), [first.opened.runId]);
  const other = await Stage.open({ pipelines: inPod({ record: { image: at } }) });
  await once(other);
  assert.deepEqual(said(await once(other)), ['pod image changed']);
});

interface Boxed {
  readonly image: Template;
  readonly cpu?: string;
  readonly args?: readonly string[];
  readonly local?: readonly string[];
}

function boxed({ image, cpu = '1', args = [], local = ['train'] }: Boxed): PipelineDefinition {
  const resources = { requests: { cpu }, limits: {} };
  const work = {
    kind: 'container',
    image,
    command: [],
    args,
    environment: {},
    resources,
    localCommand: local,
  } as const;
  return trained(fixed, { work });
}

/** What is said of the cache after a change of the container. */
async function afterChange(one: Boxed, other: Boxed, runsImages?: false): Promise<string | undefined> {
  const where = runsImages === undefined ? {} : { runsImages };
  const stage = await Stage.open({ pipelines: [boxed(one)], later: [boxed(other)], ...where });
  const first = await once(stage);
  stage.commit('main', undefined, { '.pipelines/own.ts': fileOf('own', 1) });
  await stage.until('the commit was found', () => runs(stage).length === 2);
  await stage.rest();
  return said(runs(stage)[1] ?? first)[0]?.replace(first.opened.runId, 'found');
}

test('a container counts by the digest of its image, whatever it is named and with how much it runs', async () => {
  const [one, other] = [`sha256:${'a1'.repeat(32)}`, `sha256:${'b2'.repeat(32)}`];
  const image = `a.example/trainer:1@${one}`;
  assert.equal(
    await afterChange({ image }, { image: `b.example/trainer@${one}`, cpu: '8', local: ['other'] }),
    'found',
  );
  assert.equal(await afterChange({ image }, { image: `a.example/trainer:1@${other}` }), 'image changed');
  assert.equal(await afterChange({ image }, { image, args: ['--deep'] }), 'args changed');
});

test('a container whose image a tag names always runs, and says why; in its place, what runs locally counts', async () => {
  const image = ['a.example/', { context: 'pipeline' }, ':1'] as const;
  const why = 'a.example/own:1 is named by a tag, which can move: name the image by its digest, NAME@sha256:…';
  assert.equal(await afterChange({ image }, { image }), why);
  assert.equal(await afterChange({ image }, { image: 'a.example/own:2' }, false), 'found');
  assert.equal(await afterChange({ image }, { image, local: ['other'] }, false), 'local changed');
});

test('what a failed attempt gave is no output', async () => {
  const stage = await Stage.open({ pipelines: [trained(always)] });
  stage.world.attemptMs = 5000;
  stage.ask('own');
  await stage.until('it runs', () => stage.world.server?.executor.running().length === 1);
  const [id = ''] = stage.world.server?.executor.running() ?? [];
  stage.world.server?.executor.finish(id, outcomes.failed('code'));
  await stage.rest();
  assert.deepEqual(said(await once(stage)), ['first time']);
});

test('what is too old, or not stored any more, is made again', async () => {
  const stage = await Stage.open({ pipelines: [trained({ forMs: 60_000, paths: [] })] });
  const first = await once(stage);
  const firstOutputs = JSON.stringify(await outputs(stage, first));
  const [sha256 = ''] = /[0-9a-f]{64}/.exec(firstOutputs) ?? [];
  stage.world.gone.add(sha256);
  assert.deepEqual(said(await once(stage)), ['model.json is no longer stored']);
  stage.world.setClock(120_000);
  const [why = ''] = said(await once(stage));
  assert.match(why, /^expired: it is 2 min \d+ s old$/);
});

test('who runs a step again gets it run', async () => {
  const stage = await Stage.open({ pipelines: [trained(always)] });
  const { runId } = (await once(stage)).opened;
  const ask = { runId, atHead: false, actor: 'eve' } as const;
  void stage.world.server?.conductor.rerun({ ...ask, steps: { from: 'train' }, key: 'from' });
  await stage.until('it was opened', () => runs(stage).length === 2);
  await stage.rest();
  void stage.world.server?.conductor.rerun({ ...ask, actor: 'bob', steps: 'all', key: 'all' });
  await stage.until('it was opened', () => runs(stage).length === 3);
  await stage.rest();
  assert.deepEqual(runs(stage).slice(1).map(said), [['it was asked for again'], [runs(stage)[1]?.opened.runId]]);
  assert.equal(begun(stage), 2);
});

test('of a mapped step each instance is found, wherever it stood', async () => {
  const work = { kind: 'command', command: [[{ item: 'item', path: [] }]], environment: {} } as const;
  const stage = await Stage.open({ pipelines: [trained(always, { work, map: mapOver(['a', 'b', 'c']) })] });
  const first = await once(stage);
  assert.deepEqual(said(first), ['first time', 'first time', 'first time']);
  const { runId } = first.opened;
  assert.deepEqual(said(await once(stage)), [runId, runId, runId]);
});

test('what a pull request made is for that pull request alone', async () => {
  const stage = await Stage.open({ pipelines: [trained(fixed)] });
  const propose = (number: number): void => {
    const headBranch = `topic-${number}`;
    const headSha = stage.commit(headBranch);
    const baseSha = stage.world.remote.branches.get('main') ?? headSha;
    const state = { state: 'open', merged: false, mergeSha: null, fork: false } as const;
    const own = { number, ...state, headSha, headBranch, baseBranch: 'main', baseSha, author: 'ada', title: 'x' };
    stage.world.remote.pullRequestHeads.add(headSha);
    stage.world.forge.pullRequests.set(number, own);
    stage.hook({ type: 'pull-request', action: 'opened', pullRequest: own, actor: 'ada' }, `hook-${number}`);
  };
  for (const number of [1, 2]) {
    propose(number);
    await stage.until('it was opened', () => runs(stage).length === number);
    await stage.rest();
  }
  const third = await once(stage);
  assert.deepEqual(runs(stage).map(said), [['first time'], ['first time'], ['first time']]);
  propose(3);
  await stage.until('it was opened', () => runs(stage).length === 4);
  await stage.rest();
  assert.deepEqual(runs(stage).slice(3).map(said), [[third.opened.runId]], 'what main made is for all');
});

test('what a branch that is not merged made is for that branch alone', async () => {
  const onAll = { schedule: null, push: { branches: ['**'], tags: [], paths: [] }, pullRequest: null };
  const stage = await Stage.open({ pipelines: [{ ...trained(fixed), on: onAll }] });
  const pushed = async (branch: string): Promise<string> => {
    const before = runs(stage).length;
    stage.push(branch);
    await stage.until('it was opened', () => runs(stage).length > before);
    await stage.rest();
    return runs(stage).at(-1)?.opened.runId ?? '';
  };
  const experiment = await pushed('experiment');
  const main = await pushed('main');
  await pushed('experiment');
  await pushed('other');
  assert.deepEqual(
    runs(stage).map(said),
    [['first time'], ['first time'], [main], [main]],
    'what main made is for all',
  );
  assert.notEqual(experiment, main);
});

test('of runs by hand, those of a commit on the default branch share what they make', async () => {
  const stage = await Stage.open({ pipelines: [trained(fixed)] });
  const unmerged = await once(stage, stage.commit('aside'));
  const main = await once(stage);
  const again = await once(stage, stage.commit('other'));
  const onMain = await once(stage);
  const { runId } = main.opened;
  assert.deepEqual([unmerged, main, again, onMain].map(said), [['first time'], ['first time'], [runId], [runId]]);
});

test('a repository that does not answer costs the cache, and not the attempt', async () => {
  const other = pipelineOf([stepOf({ name: 'only' })], { name: 'other' });
  const stage = await Stage.open({ pipelines: [trained(always), other] });
  const { machines, remote } = stage.world;
  const known = machines[0]?.mirror.known;
  // So that the pipelines of the commit are known.
  stage.ask('other');
  await stage.until('the other pipeline has run', () => runs(stage)[0]?.state === 'success');
  for (const sha of remote.commits.keys()) known?.delete(sha);
  const first = await once(stage);
  assert.match(said(first)[0] ?? '', /^the code could not be read: /);
  assert.equal(first.state, 'success');
  for (const sha of remote.commits.keys()) known?.add(sha);
  assert.deepEqual(said(await once(stage)), ['first time']);
});
