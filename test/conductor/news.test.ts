/** News of data: each pipeline that listens gets a run of all that is new to it, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DataEvent } from '../../src/engine/event.ts';
import type { DatasetUpdate, DataTrigger, PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from '../simulation/history.ts';
import { silentGit, Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import { dataEvent, finish, openRun, runId, versionsWrite } from '../support/journal-values.ts';

const byHand = { schedule: null, push: null, pullRequest: null };

function listener(data: Partial<DataTrigger> = {}, more: Partial<PipelineDefinition> = {}): PipelineDefinition {
  return pipelineOf([stepOf({ name: 'only' })], {
    name: 'listener',
    on: { ...byHand, data: { datasets: ['features'], when: 'all', ...data } },
    ...more,
  });
}

function teller(update: Partial<DatasetUpdate> = {}, more: Partial<PipelineDefinition> = {}): PipelineDefinition {
  const updates = [{ dataset: 'features', output: null, ...update }];
  return pipelineOf([stepOf({ name: 'load', updates }), stepOf({ name: 'after', upstream: ['load'] })], {
    name: 'teller',
    on: { ...byHand, push: { branches: ['**'], tags: [], paths: [] } },
    ...more,
  });
}

async function open(...pipelines: readonly PipelineDefinition[]): Promise<Stage> {
  const stage = await Stage.open({ pipelines, slots: 16 });
  const listeners = pipelines.flatMap(({ name, on }) => (on.data === undefined ? [] : [name]));
  await stage.until('they listen', () => listeners.every((name) => stage.world.history.listeners.seen.has(name)));
  return stage;
}

let told = 0;

async function tell(
  stage: Stage,
  dataset: string,
  more: Partial<{ digest: string; evenIfSame: boolean; id: string }> = {},
): Promise<string> {
  const { digest = null, evenIfSame = false, id = `telling-${(told += 1)}` } = more;
  const answer: { state?: string } = {};
  const telling = { id, dataset, digest, evenIfSame, by: 'ada', at: 5 };
  void stage.world.server?.conductor.tellData(telling).then(({ state }) => (answer.state = state));
  await stage.until('it was told', () => answer.state !== undefined);
  return answer.state ?? '';
}

function runsOf(stage: Stage, pipeline = 'listener'): readonly KeptRun[] {
  return [...stage.world.history.runs.values()].filter(({ opened }) => opened.pipeline === pipeline);
}

function eventsOf(run: KeptRun | undefined): readonly DataEvent[] {
  return run?.opened.trigger.kind === 'data' ? run.opened.trigger.events : [];
}

test('a repository whose Git hangs holds up no news elsewhere', async () => {
  const stage = await Stage.open({ pipelines: [listener()], beside: { 'shop/silent': silentGit } });
  await stage.until('it listens', () => stage.world.history.listeners.seen.has('listener'));
  const id = runId(1);
  const versions = { ...versionsWrite, repository: 'shop/silent' };
  await stage.world.journal.commit([
    [versions, openRun(id, { repository: 'shop/silent' }), finish(id, 1), dataEvent('e', { runId: id, step: 'load' })],
  ]);
  await tell(stage, 'features');
  await stage.until('it runs', () => runsOf(stage).length === 1, 120_000);
});

test('news from outside open a run that knows them', async () => {
  const stage = await open(listener());
  assert.equal(await tell(stage, 'features', { digest: 'one', id: 'first' }), 'news');
  await stage.rest();
  const [run, ...more] = runsOf(stage);
  const events = [{ id: 'told/first', dataset: 'features', digest: 'one', at: 5, runId: null }];
  assert.deepEqual(run?.opened.trigger, { kind: 'data', events, count: 1, depth: 1 });
  assert.equal(run.opened.sha, stage.world.remote.branches.get('main'));
  assert.deepEqual(more, []);
});

test('the same digest again is no news, unless it is to be', async () => {
  const stage = await open(listener());
  await tell(stage, 'features', { digest: 'one' });
  await stage.rest();
  assert.equal(await tell(stage, 'features', { digest: 'one' }), 'same');
  await stage.rest();
  assert.equal(runsOf(stage).length, 1);
  assert.equal(await tell(stage, 'features', { digest: 'one', evenIfSame: true }), 'news');
  await stage.rest();
  assert.equal(runsOf(stage).length, 2);
});

test('the same telling twice is one', async () => {
  const stage = await open(listener());
  await tell(stage, 'features', { id: 'monday' });
  await tell(stage, 'features', { id: 'monday' });
  await stage.rest();
  assert.equal(runsOf(stage).length, 1);
});

test('of several datasets each has to be new since the last run, or any where it says so', async () => {
  const datasets = ['features', 'labels'];
  const stage = await open(listener({ datasets }), { ...listener({ datasets, when: 'any' }), name: 'any' });
  await tell(stage, 'features');
  await tell(stage, 'features');
  await stage.rest();
  assert.equal(runsOf(stage).length, 0);
  const before = runsOf(stage, 'any').length;
  await tell(stage, 'labels');
  await stage.rest();
  assert.deepEqual(
    eventsOf(runsOf(stage)[0]).map(({ dataset }) => dataset),
    ['features', 'features', 'labels'],
  );
  assert.equal(runsOf(stage, 'any').length, before + 1);
});

test('a step that updates a dataset tells it when it has succeeded, before its run has ended', async () => {
  const stage = await open(teller(), listener());
  stage.world.attemptMs = 5000;
  stage.push();
  await stage.until('the listener runs', () => runsOf(stage).length === 1);
  const [first] = runsOf(stage, 'teller');
  assert.equal(first?.state, 'running');
  await stage.rest();
  assert.deepEqual(
    eventsOf(runsOf(stage)[0]).map(({ dataset, digest, runId }) => [dataset, digest, runId]),
    [['features', null, first.opened.runId]],
  );
});

test('the output that a step names tells whether the data are others', async () => {
  // What an attempt of the stage gives.
  const stage = await open(teller({ output: ['done'] }), listener());
  stage.push();
  await stage.rest();
  const [event] = await stage.world.journal.dataEvents('features', 1);
  assert.equal(event?.state, 'news');
  assert.match(event.digest ?? '', /^[0-9a-f]{64}$/);
});

test('an output that a step names and does not give is a failure, and no news', async () => {
  const stage = await open(teller({ output: ['rows'] }), listener());
  stage.push();
  await stage.rest();
  const [run] = runsOf(stage, 'teller');
  assert.equal(run?.state, 'failed');
  const ends = (await stage.world.journal.events(run.opened.runId)).flatMap((event) =>
    event.type === 'attempt-finished' && event.outcome.kind === 'failed' ? [event.outcome] : [],
  );
  assert.deepEqual(
    ends.map(({ cause, message }) => [cause, message]),
    [['output', 'the output "rows" is missing, which `updates` names']],
  );
  assert.deepEqual(await stage.world.journal.dataEvents('features', 1), []);
});

test('a run of another branch, and a backfill, are no news', async () => {
  const schedule = { cron: '0 0 * * *', timeZone: 'UTC', catchup: 'none' } as const;
  const stage = await open(teller({}, { on: { ...byHand, schedule, push: teller().on.push } }), listener());
  stage.push('feature-1');
  await stage.rest();
  const [event] = await stage.world.journal.dataEvents(null, 9);
  assert.match(event?.reason ?? '', /for feature-1, which is not the default branch/);
  const sha = stage.world.remote.branches.get('main');
  assert.ok(sha !== undefined);
  await stage.backfillADay('teller', sha);
  await stage.rest();
  assert.equal((await stage.world.journal.dataEvents(null, 9)).length, 1);
  assert.equal(runsOf(stage).length, 0);
});

test('while no run may be beside the one under way, news wait, and the next run has them all', async () => {
  const stage = await open(listener({}, { overlap: 'forbid' }));
  stage.world.attemptMs = 20_000;
  await tell(stage, 'features');
  await stage.until('a run is under way', () => runsOf(stage).length === 1);
  await tell(stage, 'features', { digest: 'two' });
  await tell(stage, 'features', { digest: 'three' });
  await stage.rest();
  assert.deepEqual(
    runsOf(stage).map((run) => eventsOf(run).map(({ digest }) => digest)),
    [[null], ['two', 'three']],
  );
});

test('very many news are counted, and the newest of them are known', async () => {
  const stage = await open(listener({ datasets: ['features', 'labels'] }));
  for (let count = 0; count < 60; count += 1) await tell(stage, 'features');
  await tell(stage, 'labels');
  await stage.rest();
  const trigger = runsOf(stage)[0]?.opened.trigger;
  assert.deepEqual(trigger?.kind === 'data' ? [trigger.events.length, trigger.count] : [], [50, 61]);
});

test('a pipeline listens from when it was first seen, and no more when it is gone', async () => {
  const stage = await open(listener());
  Object.assign(stage.world.catalogue, { names: ['other'], definition: () => listener({}, { name: 'other' }) });
  stage.push();
  await stage.until('the other one listens', () => stage.world.history.listeners.seen.has('other'));
  await tell(stage, 'features');
  await stage.rest();
  assert.deepEqual([runsOf(stage).length, runsOf(stage, 'other').length], [0, 1]);
});

test('a head of which nobody was told, since the answer to its commit was lost, is read all the same', async () => {
  const stage = await open(listener());
  Object.assign(stage.world.catalogue, { names: ['other'], definition: () => listener({}, { name: 'other' }) });
  stage.interfereOnce('head', 'unanswered');
  stage.commit('main');
  await stage.until('the other one listens', () => stage.world.history.listeners.seen.has('other'));
});

test('a circle through data ends by itself, with a record', async () => {
  const updates = [{ dataset: 'features', output: null }];
  const itself = pipelineOf([stepOf({ name: 'only', updates })], { ...listener(), steps: [], name: 'itself' });
  const stage = await open({ ...itself, steps: [stepOf({ name: 'only', updates })] });
  await tell(stage, 'features');
  await stage.rest();
  assert.equal(runsOf(stage, 'itself').length, 16);
  assert.deepEqual(await stage.world.journal.listenersWithNews(), []);
});

test('a server that dies at any moment loses no news and takes none twice', async () => {
  for (let moment = 0; moment < 60; moment += 5) {
    const stage = await open(teller(), listener());
    stage.push();
    for (let steps = 0; steps < moment; steps += 1) await stage.world.step();
    stage.world.crash(500);
    await stage.until('the listener has run', () => runsOf(stage)[0]?.state === 'success');
    await stage.rest();
    assert.equal(runsOf(stage).length, 1, `dead after ${moment} steps`);
  }
});

test('a commit that is refused, or kept without an answer, makes no difference', async () => {
  for (const how of ['refused', 'unanswered'] as const) {
    for (const what of ['data-event', 'data-event-decided', 'data-taken'] as const) {
      const stage = await open(teller(), listener());
      stage.push();
      stage.interfereOnce(what, how);
      await stage.until('the listener has run', () => runsOf(stage)[0]?.state === 'success');
      await stage.rest();
      assert.equal(runsOf(stage).length, 1, `${what} ${how}`);
    }
  }
});
