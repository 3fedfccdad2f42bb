/** Runs that wait, on a whole server: what they cost the journal, and what they come to over crashes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineDefinition, StepDefinition, WaitWork } from '../../src/pipeline/definition.ts';
import { Stage } from '../simulation/stage.ts';
import { mapOver, pipelineOf, stepOf } from '../support/definitions.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

function named(name: string, steps: readonly StepDefinition[]): PipelineDefinition {
  return pipelineOf(steps, { name });
}

function waitFor(condition: WaitWork['for'], given: Partial<WaitWork> = {}): WaitWork {
  return { kind: 'wait', for: condition, intervalMs: 1000, timeoutMs: 24 * hourMs, softFail: false, ...given };
}

const file: WaitWork['for'] = { condition: 'file', path: '/data/ready' };
const states = ['success'] as const;
const base: WaitWork['for'] = {
  condition: 'pipeline',
  pipeline: 'base',
  date: [{ context: 'date' }],
  shiftMs: 0,
  states,
};
const trained: WaitWork['for'] = { ...base, condition: 'step', step: 'train', states };

/** The waits that a run has begun and not ended. */
function waitingIn(stage: Stage, pipeline: string): number {
  const { events } = stage.run(pipeline);
  const count = (type: string): number => events.filter((event) => event.type === type).length;
  return count('wait-begun') - count('step-finished');
}

/** Lets time pass. */
function pass(stage: Stage, ms: number): Promise<void> {
  const until = stage.world.time.now + ms;
  return stage.until('time has passed', () => stage.world.time.now >= until, 2 * ms);
}

test('a thousand instances that look each second for an hour take no slot, and add no event and no commit', async () => {
  const each = stepOf({ name: 'each', work: waitFor(file), map: mapOver([...Array(1000).keys()]) });
  const stage = await Stage.open({
    pipelines: [named('patient', [each]), named('quick', [stepOf({ name: 'only' })])],
    slots: 1,
  });
  const { world } = stage;
  world.isThere = false;
  stage.ask('patient');
  await stage.until('all of them wait', () => world.history.runs.size === 1 && waitingIn(stage, 'patient') === 1000);
  const before = stage.run('patient').events.length;
  let commits = 0;
  world.interfere = (writes) => {
    commits += writes.flat().filter((write) => write.write === 'append').length;
    return null;
  };
  await pass(stage, hourMs);
  assert.deepEqual([stage.run('patient').events.length - before, commits], [0, 0]);
  assert.equal(world.server?.conductor.slotsInUse()[0]?.taken, 0);
  stage.ask('quick');
  await stage.until(
    'another run has its slot',
    () => world.history.runs.size === 2 && stage.run('quick').state === 'success',
  );
  world.isThere = true;
  await stage.rest();
  assert.equal(stage.run('patient').state, 'success');
  assert.equal(stage.run('patient').events.length, before + 2 * 1000 + 1, 'seen and success of each, and the end');
});

test('a wait is over as soon as the run that it waits for is, whatever its interval', async () => {
  const work = (condition: WaitWork['for']): WaitWork => waitFor(condition, { intervalMs: 12 * hourMs });
  const stage = await Stage.open({
    pipelines: [
      named('base', [stepOf({ name: 'train' })]),
      named('after', [stepOf({ name: 'base', work: work(base) }), stepOf({ name: 'trained', work: work(trained) })]),
    ],
  });
  stage.world.attemptMs = 5 * minuteMs;
  stage.ask('after');
  await stage.until('it waits', () => stage.world.history.runs.size === 1 && waitingIn(stage, 'after') === 2);
  stage.ask('base');
  await stage.rest();
  assert.equal(stage.run('after').state, 'success');
  const [runId] = [...stage.world.history.runs].find(([, { opened }]) => opened.pipeline === 'base') ?? [];
  const seen = stage.run('after').events.filter((event) => event.type === 'wait-seen');
  assert.deepEqual(
    new Map(seen.map(({ step, output }) => [step, output])),
    new Map([
      ['base', { inline: { runId, state: 'success' } }],
      ['trained', { inline: { runId, step: 'train', state: 'success' } }],
    ]),
  );
  assert.equal(seen.length, 2);
});

test('a run that waits is taken up by the next server, and its time goes on', async () => {
  const work = waitFor(file, { timeoutMs: 30 * minuteMs, softFail: true });
  const stage = await Stage.open({ pipelines: [named('patient', [stepOf({ name: 'data', work })])] });
  const { world } = stage;
  world.isThere = false;
  stage.ask('patient');
  await stage.until('it waits', () => world.history.runs.size === 1 && waitingIn(stage, 'patient') === 1);
  const [begun] = stage.run('patient').events.filter((event) => event.type === 'wait-begun');
  await pass(stage, 5 * minuteMs);
  world.crash(10 * minuteMs);
  await stage.until('it has ended', () => world.history.unfinished.size === 0, hourMs);
  const ended = stage.run('patient').events.find((event) => event.type === 'step-finished');
  assert.deepEqual(
    [ended?.state, ended?.reason],
    ['skipped', 'timeout: waited 30 min 0 s, and still there is no /data/ready yet'],
  );
  const late = (ended?.at ?? 0) - (begun?.dueAt ?? 0);
  assert.ok(late >= 0 && late < 2000, `${late} ms after its time`);
});

test('what was seen and could not be kept is seen again', async () => {
  const stage = await Stage.open({ pipelines: [named('patient', [stepOf({ name: 'data', work: waitFor(file) })])] });
  stage.world.isThere = true;
  stage.interfereOnce('wait-seen', 'refused');
  stage.ask('patient');
  await stage.until('it has begun', () => stage.world.history.runs.size === 1);
  await stage.rest();
  assert.equal(stage.run('patient').state, 'success');
});

test('a cancel ends the waiting at once', async () => {
  const stage = await Stage.open({ pipelines: [named('patient', [stepOf({ name: 'data', work: waitFor(file) })])] });
  stage.world.isThere = false;
  stage.ask('patient');
  await stage.until('it waits', () => stage.world.history.runs.size === 1 && waitingIn(stage, 'patient') === 1);
  stage.cancel(stage.run('patient'));
  await stage.rest();
  assert.equal(stage.run('patient').state, 'cancelled');
  const { runId } = stage.run('patient').opened;
  assert.deepEqual(stage.world.server?.conductor.waiting(runId, 'data'), []);
});

const ready: WaitWork['for'] = { condition: 'function', file: 'p.ts', input: { literal: null } };

test('a function is asked each second for an hour without a slot, an event or a commit, by the next server too', async () => {
  const stage = await Stage.open({
    pipelines: [
      named('patient', [stepOf({ name: 'ready', work: waitFor(ready) })]),
      named('quick', [stepOf({ name: 'only' })]),
    ],
    slots: 1,
  });
  const { world } = stage;
  world.isThere = false;
  stage.ask('patient');
  await stage.until('it waits', () => world.history.runs.size === 1 && waitingIn(stage, 'patient') === 1);
  const before = stage.run('patient').events.length;
  stage.ask('quick');
  await stage.until(
    'another run has its slot',
    () => world.history.runs.size === 2 && stage.run('quick').state === 'success',
  );
  await pass(stage, hourMs);
  world.crash(minuteMs);
  await pass(stage, hourMs);
  const { runId } = stage.run('patient').opened;
  const [waiting] = world.server?.conductor.waiting(runId, 'ready') ?? [];
  assert.ok((waiting?.looks ?? 0) > 1000, `${waiting?.looks} looks in an hour, and the last said ${waiting?.reason}`);
  assert.equal(stage.run('patient').events.length, before);
  world.isThere = true;
  await stage.rest();
  assert.equal(stage.run('patient').state, 'success');
});

test('a cancel ends the look that is under way', async () => {
  const stage = await Stage.open({ pipelines: [named('patient', [stepOf({ name: 'ready', work: waitFor(ready) })])] });
  const { world } = stage;
  world.attemptMs = 4 * minuteMs;
  stage.ask('patient');
  const looking = (): number => world.servers.flatMap((server) => server.executor.looking()).length;
  await stage.until('it looks', () => looking() === 1);
  stage.cancel(stage.run('patient'));
  await stage.until('the look has ended', () => looking() === 0, 35_000);
  assert.equal(stage.run('patient').state, 'cancelled');
});

test('a look that fails uses the retries of its step', async () => {
  const retry = { count: 1, delayMs: minuteMs, factor: 1, delayMaxMs: minuteMs };
  const work = waitFor(ready, { timeoutMs: 30 * minuteMs });
  const stage = await Stage.open({ pipelines: [named('patient', [stepOf({ name: 'ready', work, retry })])] });
  stage.world.attemptMs = 10 * minuteMs;
  stage.ask('patient');
  await stage.until('it has begun', () => stage.world.history.runs.size === 1);
  await stage.until('it has ended', () => stage.world.history.unfinished.size === 0, hourMs);
  const { events } = stage.run('patient');
  assert.deepEqual(events.map(({ type }) => type).slice(1), [
    'wait-begun',
    'look-failed',
    'retry-planned',
    'wait-begun',
    'look-failed',
    'step-finished',
    'run-finished',
  ]);
  const minutes = (events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0);
  assert.equal(Math.round(minutes / minuteMs), 11, 'two looks of five minutes each, and a minute between them');
});
