import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSchedule } from '../../src/calendar/calendar.ts';
import type { PipelineDefinition, RetryDefinition } from '../../src/pipeline/definition.ts';
import { rehearsalLimits, rehearseTicks, type RehearsedTicks } from '../../src/rehearsal/rehearsal.ts';
import { failure, success } from '../../src/std/result.ts';
import { noRetry, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { pretencesOf, type Given } from './rehearse.ts';

const minute = 60_000;
const from = Date.UTC(2026, 0, 5);

interface Window extends Given {
  readonly cron?: string;
  readonly timeZone?: string;
  readonly from?: number;
  readonly untilMs?: number;
}

/** Each hour, of one step, unless said otherwise. */
function hourly(
  given: Partial<PipelineDefinition>,
  window: Window = {},
  retry: RetryDefinition = noRetry,
): RehearsedTicks {
  const { cron = '0 * * * *', timeZone = 'UTC', from: start = from, untilMs = 4 * 60 * minute } = window;
  const definition = pipelineOf(given.steps ?? [stepOf({ name: 'train', retry, timeoutMs: 600 * minute })], {
    on: { schedule: { cron, timeZone, catchup: 'none' }, push: null, pullRequest: null },
    ...given,
  });
  const schedule = parseSchedule(cron, timeZone);
  assert.ok(schedule.ok);
  const rehearsed = rehearseTicks({
    definition,
    schedule: schedule.value,
    pretences: pretencesOf(definition, window),
    pools: new Map(),
    slots: window.slots ?? Number.POSITIVE_INFINITY,
    from: start,
    until: start + untilMs,
    parameters: success({}),
  });
  assert.ok(rehearsed.ok, JSON.stringify(rehearsed));
  return rehearsed.value;
}

/** Of each tick: when its run begins and ends, in minutes after the first tick, and as what. */
function shown({ ticks }: RehearsedTicks): readonly unknown[] {
  const minutes = (at: number): number => (at - from) / minute;
  return ticks.map(({ run, reason }) =>
    run === null ? reason : [minutes(run.beginsAt), minutes(run.endsAt), run.state],
  );
}

test('each tick of the window has a run, with the interval before it as its date', () => {
  const { ticks, more } = hourly({});
  assert.equal(more, false);
  assert.deepEqual(
    ticks.map(({ tick, logicalDate }) => [new Date(tick).getUTCHours(), new Date(logicalDate).getUTCHours()]),
    [
      [0, 23],
      [1, 0],
      [2, 1],
      [3, 2],
    ],
  );
  assert.deepEqual(shown(hourly({}, { untilMs: 2 * 60 * minute })), [
    [0, 1, 'success'],
    [60, 61, 'success'],
  ]);
});

test('the window begins with its first moment and ends before its last', () => {
  assert.equal(hourly({}, { untilMs: 60 * minute }).ticks.length, 1);
  assert.equal(hourly({}, { untilMs: 60 * minute + 1 }).ticks.length, 2);
  assert.equal(hourly({}, { from: from + 1, untilMs: 30 * minute }).ticks.length, 0);
});

test('maxActiveRuns makes runs wait for those before them', () => {
  assert.deepEqual(shown(hourly({ maxActiveRuns: 1 }, { durations: ['90m'] })), [
    [0, 90, 'success'],
    [90, 180, 'success'],
    [180, 270, 'success'],
    [270, 360, 'success'],
  ]);
  assert.deepEqual(shown(hourly({ maxActiveRuns: 2 }, { durations: ['150m'], untilMs: 180 * minute })), [
    [0, 150, 'success'],
    [60, 210, 'success'],
    [150, 300, 'success'],
  ]);
});

test('forbid misses the ticks that come while a run is under way', () => {
  const missed = 'A run of example is under way, and its overlap policy is forbid';
  assert.deepEqual(shown(hourly({ overlap: 'forbid' }, { durations: ['61m'] })), [
    [0, 61, 'success'],
    missed,
    [120, 181, 'success'],
    missed,
  ]);
  const exact = hourly({ overlap: 'forbid' }, { durations: ['60m'], untilMs: 120 * minute });
  assert.deepEqual(shown(exact), [
    [0, 60, 'success'],
    [60, 120, 'success'],
  ]);
});

test('replace cancels the run that is under way, also one that waits between two attempts', () => {
  const replaced = hourly({ overlap: 'replace' }, { durations: ['61m'], untilMs: 180 * minute });
  assert.deepEqual(shown(replaced), [
    [0, 60, 'cancelled'],
    [60, 120, 'cancelled'],
    [120, 181, 'success'],
  ]);
  assert.equal(replaced.ticks[0]?.run?.reason, 'cancelled by contender: the run of a newer tick replaces it');
  const retry = { count: 1, delayMs: 300 * minute, factor: 1, delayMaxMs: 300 * minute };
  const failing = hourly({ overlap: 'replace' }, { outcomes: ['train=failed'], untilMs: 120 * minute }, retry);
  assert.deepEqual(shown(failing), [
    [0, 60, 'cancelled'],
    [60, 362, 'failed'],
  ]);
});

test('the time limit of a run counts from its turn, so that those that wait for it do not end one after the other', () => {
  const definition: Partial<PipelineDefinition> = { maxActiveRuns: 1, runTimeoutMs: 90 * minute };
  assert.deepEqual(shown(hourly(definition, { durations: ['80m'], untilMs: 4 * 60 * minute })), [
    [0, 80, 'success'],
    [80, 160, 'success'],
    [160, 240, 'success'],
    [240, 320, 'success'],
  ]);
  const rehearsed = hourly(definition, { durations: ['100m'], untilMs: 2 * 60 * minute });
  assert.deepEqual(shown(rehearsed), [
    [0, 90, 'failed'],
    [90, 180, 'failed'],
  ]);
  assert.match(rehearsed.ticks[1]?.run?.reason ?? '', /^timeout: the run was stopped after its limit of 1 h 30 min$/);
});

test('slots are shared by the runs of all ticks', () => {
  assert.deepEqual(shown(hourly({}, { durations: ['90m'], slots: 1, untilMs: 180 * minute })), [
    [0, 90, 'success'],
    [60, 180, 'success'],
    [120, 270, 'success'],
  ]);
});

test('a run keeps its place in line when one of its sensors looks', () => {
  const work = works.wait({ intervalMs: 7 * minute, timeoutMs: 600 * minute, softFail: false });
  const steps = [stepOf({ name: 'here', work }), stepOf({ name: 'train', timeoutMs: 600 * minute })];
  const window = { cron: '*/10 * * * *', slots: 1, untilMs: 30 * minute };
  const given = { outcomes: ['here=not-yet*2,success'], durations: ['train=25m'] };
  assert.deepEqual(shown(hourly({ steps }, { ...window, ...given })), [
    [0, 25, 'success'],
    [10, 50, 'success'],
    [20, 75, 'success'],
  ]);
});

test('a change of the clocks is told with the tick that it moves', () => {
  const window = { cron: '30 2 * * *', timeZone: 'Europe/Berlin', untilMs: 3 * 86_400_000 };
  const { ticks } = hourly({}, { ...window, from: Date.UTC(2026, 2, 28) });
  assert.deepEqual(
    ticks.map(({ tick }) => new Date(tick).toISOString().slice(0, 16)),
    ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'],
  );
  assert.deepEqual(
    ticks.map(({ clockChange }) => clockChange !== null),
    [false, true, false],
  );
});

test('a parameter without a default leaves every tick without a run', () => {
  const definition = pipelineOf([stepOf({ name: 'train' })]);
  const schedule = parseSchedule('@daily', 'UTC');
  assert.ok(schedule.ok);
  const rehearsed = rehearseTicks({
    definition,
    schedule: schedule.value,
    pretences: pretencesOf(definition, {}),
    pools: new Map(),
    slots: 1,
    from,
    until: from + 86_400_000,
    parameters: failure('the parameter "depth" must be given'),
  });
  assert.ok(rehearsed.ok);
  assert.deepEqual(shown(rehearsed.value), ['the parameter "depth" must be given']);
});

test('of a window with more ticks than the limit the first are played, and it is said that there are more', () => {
  const { ticks, more } = hourly({}, { cron: '* * * * *', untilMs: (rehearsalLimits.ticksMax + 1) * minute });
  assert.deepEqual([ticks.length, more], [rehearsalLimits.ticksMax, true]);
  const all = hourly({}, { cron: '* * * * *', untilMs: rehearsalLimits.ticksMax * minute });
  assert.deepEqual([all.ticks.length, all.more], [rehearsalLimits.ticksMax, false]);
});
