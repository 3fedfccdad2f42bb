/** Who is told of what: on a whole server in a world without faults, and over a receiver that fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noticesOf } from '../../src/conductor/reports/notices-of.ts';
import { sendNotice } from '../../src/conductor/reports/send-notice.ts';
import type { Notification, Sent } from '../../src/notify/notify.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { channel } from '../simulation/notifier.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf, works } from '../support/definitions.ts';

function slow(given: Partial<PipelineDefinition> = {}): PipelineDefinition {
  return pipelineOf([stepOf({ name: 'train' })], { name: 'slow', deadlineMs: 10_000, ...given });
}

async function opened(definition: PipelineDefinition, attemptMs: number): Promise<Stage> {
  const stage = await Stage.open({ pipelines: [definition], slots: 1 });
  stage.world.attemptMs = attemptMs;
  stage.ask(definition.name);
  await stage.until('it runs', () => stage.world.history.runs.size > 0);
  return stage;
}

/** What was told of the runs, without their ids. */
function heard({ world }: Stage): readonly string[] {
  return [...world.told].map((id) => id.replace(/^\w+\//, ''));
}

test('a missed deadline is told while the run goes on, which then ends as if nothing had been', async () => {
  const stage = await opened(slow(), 60_000);
  await stage.until('it was told', () => stage.world.told.size > 0);
  assert.deepEqual([heard(stage), stage.run('slow').state], [['deadline-missed'], 'running']);
  await stage.rest();
  assert.deepEqual([heard(stage), stage.run('slow').state], [['deadline-missed'], 'success']);
});

test('a deadline that is kept is told to nobody', async () => {
  const stage = await opened(slow(), 5000);
  await stage.rest();
  assert.deepEqual(heard(stage), []);
});

test('a run that waits for its turn misses its deadline too', async () => {
  const stage = await opened(slow({ maxActiveRuns: 1, deadlineMs: 90_000 }), 60_000);
  stage.ask('slow');
  await stage.until('both are open', () => stage.world.history.runs.size === 2);
  stage.ask('slow');
  await stage.until('the third is late', () => stage.world.told.size > 0);
  const runs = [...stage.world.history.runs.values()];
  assert.equal(runs[2]?.events.filter(({ type }) => type === 'attempt-started').length, 0);
  await stage.rest();
  assert.deepEqual(heard(stage).length, 2);
});

test('a server that dies between the event and its delivery has lost nothing', async () => {
  const stage = await opened(slow(), 60_000);
  const { world } = stage;
  const isLate = (): boolean => stage.run('slow').events.some(({ type }) => type === 'deadline-missed');
  await stage.until('it is late', isLate);
  assert.deepEqual(heard(stage), []);
  world.crash(1000);
  await stage.until('it was told by the next', () => world.told.size > 0);
  assert.deepEqual(heard(stage), ['deadline-missed']);
});

const failing = pipelineOf(
  [stepOf({ name: 'look', work: works.wait({ intervalMs: 1000, timeoutMs: 3000, softFail: false }) })],
  {
    name: 'failing',
  },
);

test('a run that failed is told to the channels of the configuration, or to those of its pipeline', async () => {
  const told = async (definition: PipelineDefinition): Promise<readonly string[]> => {
    const stage = await Stage.open({ pipelines: [definition] });
    stage.world.isThere = false;
    stage.ask('failing');
    await stage.until(
      'it failed',
      () => stage.world.history.unfinished.size === 0 && stage.world.history.runs.size > 0,
    );
    const { runId } = stage.run('failing').opened;
    return (await noticesOf(stage.world.journal, runId)).map((notice) => `${notice.event} ${notice.channel}`);
  };
  assert.deepEqual(await told(failing), [`run-failed ${channel}`]);
  assert.deepEqual(await told({ ...failing, notify: { failure: ['a', 'b'] } }), ['run-failed a', 'run-failed b']);
  assert.deepEqual(await told({ ...failing, notify: { deadline: ['a'] } }), [`run-failed ${channel}`]);
  assert.deepEqual(await told({ ...failing, notify: { failure: [] } }), []);
});

test('who is to decide is told, with the message and the command', async () => {
  const release = stepOf({ name: 'release', work: works.approval({ message: 'Go on?', timeoutMs: 60_000 }) });
  const stage = await Stage.open({ pipelines: [pipelineOf([release], { name: 'asking', notify: { failure: [] } })] });
  stage.ask('asking');
  await stage.until('it was told', () => stage.world.told.size > 0);
  assert.deepEqual(heard(stage), ['release/approval-needed']);
  const { runId } = stage.run('asking').opened;
  const [row] = await stage.world.journal.outboxOf(runId);
  assert.equal(row?.body['reason'], `Go on?\nDecide on its page, or with: contender approve ${runId} release`);
});

test('nobody is told of an approval that is decided by the time its channel is reached', async () => {
  const release = stepOf({ name: 'release', work: works.approval({ message: 'Go on?', timeoutMs: 60_000 }) });
  const stage = await Stage.open({ pipelines: [pipelineOf([release], { name: 'asking', notify: { failure: [] } })] });
  const { journal, time, history } = stage.world;
  const sent: string[] = [];
  const send = (_channel: string, { id }: Notification): Promise<Sent> => {
    sent.push(id);
    return Promise.resolve({ sent: true });
  };
  const ports = { journal, notifier: { defaults: [], send }, clock: { now: () => time.now }, runUrl: () => null };
  stage.ask('asking');
  await stage.until('it was told', () => stage.world.told.size > 0);
  const [row] = await journal.outboxOf(stage.run('asking').opened.runId);
  assert.ok(row !== undefined);
  assert.deepEqual([await sendNotice(ports, row), sent], [{ done: [] }, [...stage.world.told]]);
  await stage.until('it is out of time', () => history.unfinished.size === 0);
  assert.deepEqual([await sendNotice(ports, row), sent.length], [{ done: [] }, 1]);
});

test('a recovery is told where it is asked for, once, after a run that failed', async () => {
  const stage = await Stage.open({ pipelines: [{ ...failing, notify: { failure: [], recovery: [channel] } }] });
  const { world } = stage;
  for (const isThere of [true, false, true, true]) {
    const before = world.history.runs.size;
    world.isThere = isThere;
    stage.ask('failing');
    await stage.until('it is open', () => world.history.runs.size > before);
    await stage.until('it ended', () => world.history.unfinished.size === 0);
    await stage.until('it is delivered', () =>
      [...world.history.outbox.values()].every(({ state }) => state === 'done'),
    );
  }
  assert.deepEqual(heard(stage), ['run-recovered']);
  const third = [...world.history.runs.keys()][2];
  assert.deepEqual([...world.told], [`${third}/run-recovered`]);
});

test('of a pull request its status tells', async () => {
  const stage = await Stage.open({
    pipelines: [{ ...failing, on: { schedule: null, push: null, pullRequest: { branches: [], paths: [] } } }],
  });
  const { world } = stage;
  world.isThere = false;
  const headSha = stage.commit('topic');
  const main = world.remote.branches.get('main');
  world.forge.pullRequests.set(1, {
    number: 1,
    state: 'open',
    merged: false,
    mergeSha: null,
    headSha,
    headBranch: 'topic',
    baseBranch: 'main',
    baseSha: String(main),
    fork: false,
    author: 'ada',
    title: 'Topic',
  });
  await stage.until('it failed', () => [...world.history.runs.values()].some(({ state }) => state === 'failed'));
  await stage.rest();
  assert.deepEqual(heard(stage), []);
});
