/** Ticks: each is one record, and runs or says why not, whatever becomes of the server meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineDefinition, TriggerDefinition } from '../../src/pipeline/definition.ts';
import type { FaultClass } from '../simulation/faults.ts';
import type { KeptTick } from '../simulation/history.ts';
import { fileOf } from '../simulation/pipelines.ts';
import { Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

type Schedule = NonNullable<TriggerDefinition['schedule']>;

function scheduled(schedule: Partial<Schedule>, more: Partial<PipelineDefinition> = {}): PipelineDefinition {
  const full = { cron: '*/5 * * * *', timeZone: 'UTC', catchup: 'none', ...schedule } as const;
  return pipelineOf([stepOf({ name: 'only' })], {
    name: 'ticking',
    on: { schedule: full, push: null, pullRequest: null },
    ...more,
  });
}

const minuteMs = 60_000;

function ticks(stage: Stage): readonly KeptTick[] {
  return [...(stage.world.history.ticks.get('ticking')?.values() ?? [])];
}

async function untilTicks(stage: Stage, count: number): Promise<void> {
  await stage.until(`${count} ticks`, () => ticks(stage).length >= count, count * 6 * minuteMs);
}

/** The distance between the ticks on record, in minutes. */
function gaps(stage: Stage): readonly number[] {
  const times = ticks(stage).map(({ tick }) => tick);
  return times.slice(1).map((time, index) => (time - (times[index] ?? time)) / minuteMs);
}

test('each tick runs once, and a restart at any moment between neither doubles nor loses one', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({ catchup: 'latest' })] });
  for (let count = 1; count <= 6; count += 1) {
    await untilTicks(stage, count);
    // Dead in the moment of the tick, a moment after it, and well between two.
    await stage.until('a moment', () => true);
    for (let steps = 0; steps < count * 7; steps += 1) await stage.world.step();
    stage.world.crash(1000 * count);
    await stage.until('the next server', () => stage.world.server?.conducts === true);
  }
  await stage.rest();
  assert.deepEqual(new Set(gaps(stage)), new Set([5]));
  assert.ok(ticks(stage).every(({ decision }) => decision === 'run'));
  assert.equal(stage.world.history.runs.size, ticks(stage).length);
});

test('a run of a tick has the dates of its interval', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({})] });
  await untilTicks(stage, 1);
  const [tick] = ticks(stage);
  const { opened } = stage.run('ticking');
  assert.deepEqual(opened.trigger, { kind: 'schedule', tick: tick?.tick });
  assert.equal(opened.dataIntervalEnd, tick?.tick);
  assert.equal(opened.logicalDate, (tick?.tick ?? 0) - 5 * minuteMs);
});

test('without catch-up, the ticks of a time without server are on record as missed, each once, and told together', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({ catchup: 'none' })] });
  await untilTicks(stage, 1);
  stage.world.crash(32 * minuteMs);
  await untilTicks(stage, 9);
  assert.deepEqual(new Set(gaps(stage)), new Set([5]));
  const missed = ticks(stage).filter(({ decision }) => decision === 'missed');
  assert.equal(missed.length, 6);
  assert.ok(missed.every(({ reason, runId }) => /catch-up is off/.test(reason ?? '') && runId === null));
  await stage.until('it is told', () => stage.world.told.size > 0);
  assert.deepEqual(
    [...stage.world.told],
    [`shop/models/ticking/${missed.at(-1)?.tick}/tick-missed`],
    'once for all of them',
  );
});

test('after years without a server every tick is on record at once, and the newest ones run', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({ catchup: 'all' }, { maxActiveRuns: 16 })] });
  await untilTicks(stage, 1);
  stage.world.crash(10 * 24 * 60 * minuteMs);
  await stage.until('they are on record', () => ticks(stage).length > 2880, 11 * 24 * 60 * minuteMs);
  await stage.rest();
  assert.deepEqual(new Set(gaps(stage)), new Set([5]));
  const run = ticks(stage)
    .slice(1)
    .filter(({ decision }) => decision === 'run');
  assert.ok(run.length >= 10 && run.length <= 12, `${run.length} ran`);
});

test('a schedule that changes counts from then on', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({ cron: '0 0 * * *' })] });
  await stage.until('a day', () => ticks(stage).length === 1, 25 * 60 * minuteMs);
  const at = stage.world.wallClock() + 3 * 60 * minuteMs;
  await stage.until('three hours', () => stage.world.wallClock() > at, 4 * 60 * minuteMs);
  const changed = scheduled({ cron: '*/5 * * * *' });
  Object.assign(stage.world.catalogue, { definition: () => changed });
  stage.push();
  await untilTicks(stage, 3);
  assert.ok(
    ticks(stage).every(({ decision }) => decision === 'run'),
    'nothing before the change is missed',
  );
});

/** The head of main holds another definition from now on; null: a broken one. */
function change(stage: Stage, definition: PipelineDefinition | null, file = 'ticking.ts'): void {
  const edition = definition === null ? 'broken(' : fileOf(definition.name, stage.world.steps);
  if (definition !== null) Object.assign(stage.world.catalogue, { definition: () => definition });
  const { remote, time } = stage.world;
  const tip = remote.branches.get('main');
  const files = new Map([[`.pipelines/${file}`, edition]]);
  const sha = remote.commit(tip === undefined ? [] : [tip], files, 'Change', time.now);
  remote.branches.set('main', sha);
  stage.hook({ type: 'push', ref: 'refs/heads/main', before: tip ?? null, after: sha, actor: 'ada' });
}

async function pass(stage: Stage, minutes: number): Promise<void> {
  const until = stage.world.time.now + minutes * minuteMs;
  await stage.until(`${minutes} minutes`, () => stage.world.time.now >= until, (minutes + 1) * minuteMs);
}

test('a schedule that comes back counts anew: what it would have fired meanwhile is nobody’s miss', async () => {
  const none = { on: { schedule: null, push: null, pullRequest: null } };
  for (const meanwhile of [scheduled({ cron: '0 0 1 1 *' }), scheduled({}, none), scheduled({}, { name: 'another' })]) {
    const stage = await Stage.open({ pipelines: [scheduled({ catchup: 'all' })] });
    await untilTicks(stage, 1);
    change(stage, meanwhile);
    await pass(stage, 32);
    stage.world.crash(1000);
    await pass(stage, 2);
    const before = ticks(stage).length;
    assert.ok(before <= 2, 'another schedule, or none');
    change(stage, scheduled({ catchup: 'all' }));
    await untilTicks(stage, before + 2);
    const [last, next] = gaps(stage).slice(-2);
    assert.ok((last ?? 0) >= 30 && next === 5, gaps(stage).join(', '));
    assert.ok(ticks(stage).every(({ reason }) => reason === 'on time'));
  }
});

test('a schedule whose file is broken for a while leaves a record of each tick all the same', async () => {
  for (const file of ['ticking.ts', 'train.ts']) {
    const stage = await Stage.open({ pipelines: [scheduled({})] });
    change(stage, scheduled({}), file);
    await untilTicks(stage, 1);
    change(stage, null, file);
    await pass(stage, 22);
    change(stage, scheduled({}), file);
    await untilTicks(stage, 6);
    assert.deepEqual(new Set(gaps(stage)), new Set([5]), file);
    assert.ok(ticks(stage).some(({ reason }) => /catch-up is off/.test(reason ?? '')));
  }
});

test('a journal of an older version says from when a schedule counts', async () => {
  const none = { on: { schedule: null, push: null, pullRequest: null } };
  const stage = await Stage.open({ pipelines: [scheduled({}, none)] });
  await stage.rest();
  const { journal } = stage.world;
  const forgeObject = journal.forgeObject.bind(journal);
  const longAgo = stage.world.wallClock() - 21 * minuteMs;
  let isOlder = true;
  journal.forgeObject = async (key) => {
    if (key.startsWith('schedules:') && isOlder) return null;
    return key.startsWith('schedule-since:') ? String(longAgo) : forgeObject(key);
  };
  change(stage, scheduled({}));
  await stage.until('it was noted', () => stage.world.history.since.has('ticking'));
  isOlder = false;
  await untilTicks(stage, 5);
  assert.deepEqual(new Set(gaps(stage)), new Set([5]));
  assert.equal(ticks(stage).filter(({ decision }) => decision === 'missed').length, 4);
});

test('where overlap is forbidden, a tick that comes too early is missed and says why', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({}, { overlap: 'forbid' })] });
  stage.world.attemptMs = 7 * minuteMs;
  await untilTicks(stage, 4);
  const [first, second, third, fourth] = ticks(stage);
  assert.deepEqual(
    [first?.decision, second?.decision, third?.decision, fourth?.decision],
    ['run', 'missed', 'run', 'missed'],
  );
  assert.match(second?.reason ?? '', /overlap policy is forbid/);
});

test('where a run replaces the one before, only the latest tick of a time without server runs', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({ catchup: 'all' }, { overlap: 'replace' })] });
  await untilTicks(stage, 1);
  await stage.rest();
  stage.world.crash(32 * minuteMs);
  stage.world.attemptMs = 2 * minuteMs;
  await untilTicks(stage, 9);
  await stage.rest();
  assert.deepEqual(new Set(gaps(stage)), new Set([5]));
  const missed = ticks(stage).filter(({ decision }) => decision === 'missed');
  assert.ok(missed.length >= 5 && missed.every(({ reason }) => /would replace this one/.test(reason ?? '')));
  assert.ok([...stage.world.history.runs.values()].every(({ state }) => state === 'success'));
});

test('where only some runs go on at once, all ticks of a time without server have a run, and none is missed', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({ catchup: 'all' }, { maxActiveRuns: 1 })] });
  await untilTicks(stage, 1);
  stage.world.crash(32 * minuteMs);
  stage.world.attemptMs = 2 * minuteMs;
  const runs = () => [...stage.world.history.runs.values()];
  const ended = () => runs().filter(({ state }) => state === 'success').length;
  await stage.until('those of the outage and the next have run', () => ended() >= 9, 60 * minuteMs);
  assert.deepEqual(new Set(gaps(stage)), new Set([5]));
  assert.ok(ticks(stage).every(({ decision }) => decision === 'run'));
  assert.ok(runs().every(({ state }) => state === 'success' || state === 'running'));
});

test('a parameter that nobody can give is the reason on record', async () => {
  const parameters = { region: { type: 'string', default: null, description: null, choices: null } } as const;
  const stage = await Stage.open({ pipelines: [scheduled({}, { parameters })] });
  await untilTicks(stage, 1);
  assert.match(ticks(stage)[0]?.reason ?? '', /"region" \(string\) has no default/);
});

/** Nothing of these is answered for so long. */
async function outage(stage: Stage, names: readonly FaultClass[], minutes: number): Promise<void> {
  const { world } = stage;
  const struck = Object.fromEntries(names.map((name) => [name, 1]));
  world.faults = { ...world.faults, ...struck };
  await pass(stage, minutes);
  world.faults = { ...world.faults, ...Object.fromEntries(names.map((name) => [name, 0])) };
  world.steadySince = world.time.now;
}

/** That each tick ran, without catch-up, and at least one of them late. */
function assertHeldUp(stage: Stage): void {
  assert.deepEqual(new Set(gaps(stage)), new Set([5]));
  const missed = ticks(stage).filter(({ decision }) => decision === 'missed');
  assert.deepEqual(missed, []);
  assert.ok(ticks(stage).some(({ reason }) => /could not be kept sooner/.test(reason ?? '')));
}

test('a tick whose commit is refused once is kept a moment later', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({})] });
  stage.interfereOnce('tick', 'refused');
  await untilTicks(stage, 1);
  const [tick] = ticks(stage);
  assert.equal(tick?.reason, 'on time');
  assert.ok(stage.run('ticking').opened.at - (tick?.tick ?? 0) < 10_000, 'within seconds');
});

test('ticks whose commits are refused for minutes run when they can be kept, each once', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({})] });
  await untilTicks(stage, 1);
  stage.world.interfere = (commits) => (commits.flat().some(({ write }) => write === 'tick') ? 'refused' : null);
  await pass(stage, 12);
  assert.equal(ticks(stage).length, 1);
  stage.world.interfere = () => null;
  await untilTicks(stage, 4);
  assertHeldUp(stage);
});

test('ticks of a time without database run when it is back, whichever server conducts then', async () => {
  for (const servers of [undefined, 2] as const) {
    const stage = await Stage.open({ pipelines: [scheduled({})], ...(servers === undefined ? {} : { servers }) });
    await untilTicks(stage, 1);
    await outage(stage, ['journal-refused', 'lease'], 12);
    await untilTicks(stage, 4);
    assertHeldUp(stage);
  }
});

test('the one that stood by and saw no database runs them as well', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({})], servers: 2 });
  await untilTicks(stage, 1);
  await stage.until('both are there', () => stage.world.servers.length === 2);
  const { conducting } = stage.world;
  assert.ok(conducting !== null);
  await pass(stage, 1);
  stage.world.faults = { ...stage.world.faults, 'journal-refused': 1, lease: 1 };
  await pass(stage, 1);
  stage.world.crash(60 * minuteMs, conducting);
  await outage(stage, ['journal-refused', 'lease'], 9);
  await untilTicks(stage, 3);
  assertHeldUp(stage);
});

test('a server that begins while Git does not answer runs the ticks that it saw come due, and none from before', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({})] });
  await untilTicks(stage, 1);
  stage.world.crash(7 * minuteMs);
  await pass(stage, 6);
  await outage(stage, ['git'], 8);
  await untilTicks(stage, 4);
  assert.deepEqual(new Set(gaps(stage)), new Set([5]));
  assert.deepEqual(
    ticks(stage)
      .slice(1, 3)
      .map(({ reason }) => reason?.replace(/^late by [^:]*: /, '')),
    ['catch-up is off', 'it could not be kept sooner'],
  );
});

test('what was held up by a server that ended meanwhile goes by the rule of catch-up', async () => {
  const stage = await Stage.open({ pipelines: [scheduled({})] });
  await untilTicks(stage, 1);
  stage.world.interfere = (commits) => (commits.flat().some(({ write }) => write === 'tick') ? 'refused' : null);
  await pass(stage, 7);
  stage.world.crash(1000);
  await pass(stage, 1);
  stage.world.interfere = () => null;
  await untilTicks(stage, 2);
  assert.match(ticks(stage)[1]?.reason ?? '', /catch-up is off/);
});
