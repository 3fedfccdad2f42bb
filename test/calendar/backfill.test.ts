import assert from 'node:assert/strict';
import { test } from 'node:test';

import { planBackfill } from '../../src/calendar/calendar.ts';
import { scheduleOf, utc, utcText } from './schedule-of.ts';

const daily = scheduleOf('0 2 * * *', 'Europe/Berlin');

test('a backfill runs each interval whose logical date lies in the range, both ends included', () => {
  const plan = planBackfill(daily, { from: utc('2026-03-28 01:00'), to: utc('2026-03-30 00:00'), newestFirst: false });
  assert.ok(plan.ok);
  assert.deepEqual(
    plan.value.map(({ start, end }) => `${utcText(start)} to ${utcText(end)}`),
    [
      '2026-03-28 01:00 to 2026-03-29 01:00',
      '2026-03-29 01:00 to 2026-03-30 00:00',
      '2026-03-30 00:00 to 2026-03-31 00:00',
    ],
  );
});

test('newest first turns the list around', () => {
  const range = { from: utc('2026-03-01 00:00'), to: utc('2026-03-04 00:00') };
  const [oldest, newest] = [false, true].map((newestFirst) => planBackfill(daily, { ...range, newestFirst }));
  assert.ok(oldest?.ok && newest?.ok);
  assert.deepEqual(newest.value, oldest.value.toReversed());
  assert.equal(newest.value.length, 3);
});

test('a range without firings is an empty plan', () => {
  const plan = planBackfill(daily, { from: utc('2026-03-01 03:00'), to: utc('2026-03-01 04:00'), newestFirst: false });
  assert.deepEqual(plan, { ok: true, value: [] });
});

test('a range that is turned around or too long is refused with a sentence', () => {
  const backwards = planBackfill(daily, { from: 1, to: 0, newestFirst: false });
  assert.match(backwards.ok ? '' : backwards.error, /ends before it begins/);
  const long = planBackfill(daily, { from: utc('2020-01-01 00:00'), to: utc('2026-01-01 00:00'), newestFirst: false });
  assert.match(long.ok ? '' : long.error, /more than 1000 intervals/);
});
