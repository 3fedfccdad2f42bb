import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { decideTicks, firingsBetween, type CatchupPolicy, type TickDecision } from '../../src/calendar/calendar.ts';
import { scheduleOf, utc } from './schedule-of.ts';

const hourMs = 3_600_000;
const hourly = scheduleOf('@hourly');
const noon = utc('2026-05-01 12:00');

function decide(
  catchup: CatchupPolicy,
  hoursDown: number,
  lateByMs = 120_000,
  heldUpSince: number | null = null,
  replaces = false,
): readonly TickDecision[] {
  const lastRecorded = noon - hoursDown * hourMs;
  return decideTicks({ schedule: hourly, lastRecorded, now: noon + lateByMs, catchup, heldUpSince, replaces });
}

function counts(decisions: readonly TickDecision[]): { readonly run: number; readonly missed: number } {
  const run = decisions.filter(({ decision }) => decision === 'run').length;
  return { run, missed: decisions.length - run };
}

test('a tick that is seen within a minute runs on time, whatever the policy', () => {
  for (const catchup of ['none', 'latest', 'all'] as const) {
    assert.deepEqual(decide(catchup, 1, 60_000), [
      { tick: noon, decision: 'run', lateByMs: 60_000, reason: 'on time' },
    ]);
  }
});

test('without catch-up late ticks are missed', () => {
  const decisions = decide('none', 3);
  assert.deepEqual(counts(decisions), { run: 0, missed: 3 });
  assert.equal(decisions[0]?.reason, 'late by 2 h 2 min: catch-up is off');
});

test('ticks that were on time when they were held up, or came due since, run under any policy; those before do not', () => {
  for (const catchup of ['none', 'latest', 'all'] as const) {
    const heldUp = decide(catchup, 2, 120_000, noon - hourMs + 60_000);
    assert.deepEqual(counts(heldUp), { run: 2, missed: 0 });
    assert.equal(heldUp[0]?.reason, 'late by 1 h 2 min: it could not be kept sooner');
  }
  const tooLate = decide('none', 2, 120_000, noon - hourMs + 60_001);
  assert.deepEqual(
    tooLate.map(({ reason }) => reason),
    ['late by 1 h 2 min: catch-up is off', 'late by 2 min 0 s: it could not be kept sooner'],
  );
  assert.deepEqual(counts(decide('none', 14, 120_000, noon - 14 * hourMs)), { run: 10, missed: 4 });
});

test('catch-up of the latest runs that one and records the others', () => {
  const decisions = decide('latest', 5);
  assert.deepEqual(counts(decisions), { run: 1, missed: 4 });
  assert.equal(decisions.at(-1)?.reason, 'late by 2 min 0 s: caught up');
  assert.match(decisions[0]?.reason ?? '', /catch-up runs only the latest tick/);
});

test('catch-up of all runs the ten latest and records the older ones', () => {
  const decisions = decide('all', 14);
  assert.deepEqual(
    decisions.map(({ decision }) => decision),
    [...Array(4).fill('missed'), ...Array(10).fill('run')],
  );
  assert.match(decisions[0]?.reason ?? '', /at most 10 ticks run at once/);
});

test('where a run replaces the one before, only the latest of those that are due together runs', () => {
  const decisions = decide('all', 3, 120_000, null, true);
  assert.deepEqual(counts(decisions), { run: 1, missed: 2 });
  assert.equal(decisions.at(-1)?.reason, 'late by 2 min 0 s: caught up');
  assert.match(decisions[0]?.reason ?? '', /late by 2 h 2 min: a later tick is due as well, and its run would replace/);
  assert.deepEqual(counts(decide('none', 3, 120_000, noon - 3 * hourMs, true)), { run: 1, missed: 2 });
});

test('nothing is due before the next firing, nor when the clock went backwards', () => {
  const due = { schedule: hourly, lastRecorded: noon, catchup: 'all', heldUpSince: null, replaces: false } as const;
  assert.deepEqual(decideTicks({ ...due, now: noon + hourMs - 1 }), []);
  assert.deepEqual(decideTicks({ ...due, now: noon - 10 * hourMs }), []);
});

test('a week of missed seconds is handed out in pages that end with the latest tick running', () => {
  const everySecond = scheduleOf('* * * * * *');
  const now = noon + 3_500_000;
  let lastRecorded = noon;
  let [missed, run, pages] = [0, 0, 0];
  for (let page = [] as readonly TickDecision[]; pages === 0 || page.length > 0; pages++) {
    page = decideTicks({
      schedule: everySecond,
      lastRecorded,
      now,
      catchup: 'none',
      heldUpSince: null,
      replaces: false,
    });
    assert.ok(page.length <= 1000);
    missed += counts(page).missed;
    run += counts(page).run;
    lastRecorded = page.at(-1)?.tick ?? lastRecorded;
  }
  assert.deepEqual({ missed, run, pages }, { missed: 3490, run: 10, pages: 5 });
});

test('however often and at whatever times one asks, each tick is decided exactly once', () => {
  const crons = ['@hourly', '*/20 1-3 * * *', '30 2 * * *', '*/7 * * * *', '0 0 * * *'];
  const zones = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Africa/Cairo'];
  const around = fc.constantFrom(utc('2026-03-27 00:00'), utc('2026-10-23 12:00'), utc('2026-04-22 00:00'));
  const steps = fc.array(fc.integer({ min: -hourMs, max: 20 * hourMs }), { minLength: 1, maxLength: 12 });
  const policy = fc.constantFrom('none', 'latest', 'all');
  fc.assert(
    fc.property(
      fc.constantFrom(...crons),
      fc.constantFrom(...zones),
      around,
      steps,
      policy,
      (cron, zone, start, steps, catchup) => {
        const schedule = scheduleOf(cron, zone);
        const seen: number[] = [];
        let [now, last, latest] = [start, start, start];
        for (const step of steps) {
          now += step;
          latest = Math.max(latest, now);
          const due = { schedule, lastRecorded: last, now, catchup, heldUpSince: null, replaces: false };
          for (const decision of decideTicks(due)) seen.push(decision.tick);
          last = seen.at(-1) ?? last;
        }
        assert.deepEqual(seen, firingsBetween(schedule, start + 1, latest + 1, 10_000));
      },
    ),
    { seed: 11, numRuns: 300 },
  );
});
