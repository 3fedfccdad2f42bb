import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import {
  firingsBetween,
  nextFiring,
  parseSchedule,
  previousFiring,
  type Schedule,
} from '../../src/calendar/calendar.ts';
import { daysOfChange, oracleCron, oracleFirings, wallsBetween } from './oracle.ts';

const hourMs = 3_600_000;
const seed = 20_261_121;

const minutes = ['*', '*/7', '*/15', '*/20', '0', '30', '59', '15,45', '0,30', '5-20/5', '45'];
const hours = ['*', '*/2', '*/3', '0', '1', '2', '3', '23', '0-3', '1,2,3', '2,14', '22-23', '23,0'];
const days = ['*', '*', '*', '*/5', '1', '31', 'L', '10-20', '1,15,25-31'];
const months = ['*', '*', '*/2', '3,4', '9-11', '10'];
const weekdays = ['*', '*', '7', '0', '6,0', '1-5', '5L', '0L', '1#1', '5-7', '*/2'];

const expression = fc
  .tuple(
    fc.constantFrom(...minutes),
    fc.constantFrom(...hours),
    fc.constantFrom(...days),
    fc.constantFrom(...months),
    fc.constantFrom(...weekdays),
  )
  .map((fields) => fields.join(' '));

function schedule(cron: string, timeZone: string): Schedule {
  const parsed = parseSchedule(cron, timeZone);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
  return parsed.value;
}

function isoTimes(times: readonly number[]): readonly string[] {
  return times.map((time) => new Date(time).toISOString());
}

/** The oracle's answer for a window, and ours, forwards and backwards, must be the same list. */
function compare(cron: string, timeZone: string, walls: ReturnType<typeof wallsBetween>, from: number): void {
  const to = from + walls.length * 60_000;
  const expected = isoTimes(oracleFirings(oracleCron(cron), walls, from));
  const ours = schedule(cron, timeZone);
  const forwards = firingsBetween(ours, from, to, walls.length + 1);
  assert.deepEqual(isoTimes(forwards), expected, `${cron} in ${timeZone}, forwards`);
  const backwards: number[] = [];
  let firing = previousFiring(ours, to);
  while (firing !== null && firing >= from) {
    backwards.unshift(firing);
    firing = previousFiring(ours, firing);
  }
  assert.deepEqual(isoTimes(backwards), expected, `${cron} in ${timeZone}, backwards`);
}

test('around every change of every zone in 2026, firings are those of a cron that wakes up each minute', () => {
  const sample = fc.sample(expression, { seed, numRuns: 500 });
  let taken = 0;
  for (const timeZone of Intl.supportedValuesOf('timeZone')) {
    for (const day of daysOfChange(timeZone, 2026)) {
      const from = day - 6 * hourMs;
      const walls = wallsBetween(timeZone, from, day + 30 * hourMs);
      for (let count = 0; count < 4; count++) compare(sample[taken++ % sample.length] ?? '', timeZone, walls, from);
    }
  }
  assert.ok(taken > 1000, `only ${taken} comparisons`);
});

test('around the odd changes of the past and the future, too', () => {
  const odd: readonly (readonly [string, number])[] = [
    ['Australia/Lord_Howe', 2031],
    ['Antarctica/Troll', 2027],
    ['America/Sao_Paulo', 2017],
    ['Asia/Beirut', 2024],
    ['Africa/Cairo', 2014],
    ['America/Havana', 2030],
    ['Africa/Casablanca', 2022],
    ['Pacific/Apia', 2011],
    ['Asia/Pyongyang', 2018],
    ['America/Caracas', 2016],
    ['Asia/Kathmandu', 1985],
    ['America/St_Johns', 2006],
    ['Europe/Moscow', 2011],
  ];
  const sample = fc.sample(expression, { seed: seed + 1, numRuns: 40 });
  for (const [timeZone, year] of odd) {
    for (const day of daysOfChange(timeZone, year)) {
      const from = day - 30 * hourMs;
      const walls = wallsBetween(timeZone, from, day + 54 * hourMs);
      for (const cron of sample.slice(0, 20)) compare(cron, timeZone, walls, from);
    }
  }
});

test('between any two instants the next firing after the first is the first firing that lies between them', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'Africa/Cairo'];
  const instant = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2040, 0, 1) });
  fc.assert(
    fc.property(expression, fc.constantFrom(...zones), instant, (cron, timeZone, after) => {
      const ours = schedule(cron, timeZone);
      const next = nextFiring(ours, after);
      if (next === null) return;
      assert.ok(next > after);
      assert.equal(next % 1000, 0);
      assert.equal(nextFiring(ours, next - 1), next, 'nothing lies between');
      const previous = previousFiring(ours, next);
      assert.ok(previous === null || previous <= after, 'and nothing was left out');
    }),
    { seed, numRuns: 2000 },
  );
});

test('a schedule with seconds fires at each second that it names, over a change of the clocks as well', () => {
  const everyTen = schedule('*/10 * * * * *', 'Europe/Berlin');
  const change = Date.UTC(2026, 9, 25, 1);
  const firings = firingsBetween(everyTen, change - 60_000, change + 60_000, 100);
  assert.deepEqual(
    firings,
    Array.from({ length: 12 }, (_, index) => change - 60_000 + index * 10_000),
  );
});
