import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  clockChangeAt,
  firingsBetween,
  formatLocalTime,
  intervalOf,
  nextFiring,
  previousFiring,
} from '../../src/calendar/calendar.ts';
import { scheduleOf, utc, utcText } from './schedule-of.ts';

test('the next firing is strictly after, the previous one strictly before', () => {
  const daily = scheduleOf('@daily');
  const midnight = utc('2026-05-01 00:00');
  assert.equal(nextFiring(daily, midnight - 1), midnight);
  assert.equal(nextFiring(daily, midnight), midnight + 86_400_000);
  assert.equal(previousFiring(daily, midnight + 1), midnight);
  assert.equal(previousFiring(daily, midnight), midnight - 86_400_000);
});

test('firings between two instants have the first and not the second, and no more than were asked for', () => {
  const hourly = scheduleOf('@hourly');
  const [from, to] = [utc('2026-05-01 00:00'), utc('2026-05-01 03:00')];
  assert.deepEqual(firingsBetween(hourly, from, to, 10).map(utcText), [
    '2026-05-01 00:00',
    '2026-05-01 01:00',
    '2026-05-01 02:00',
  ]);
  assert.equal(firingsBetween(hourly, from, to, 2).length, 2);
  assert.deepEqual(firingsBetween(hourly, to, from, 10), []);
});

test('outside of the years that a clock can know there is no firing', () => {
  const daily = scheduleOf('@daily', 'Europe/Berlin');
  for (const instant of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15, -8.64e15, utc('2502-01-01 00:00')]) {
    assert.equal(nextFiring(daily, instant), null, String(instant));
    assert.equal(previousFiring(daily, instant), null, String(instant));
  }
});

test('a tick ends the interval that began at the firing before it', () => {
  const weekly = scheduleOf('0 2 * * 1', 'Europe/Berlin');
  const interval = intervalOf(weekly, utc('2026-03-30 00:00'));
  assert.equal(utcText(interval.start), '2026-03-23 01:00', 'before the clocks went forward');
  assert.equal(utcText(interval.end), '2026-03-30 00:00');
});

test('a skipped local time says that it runs right after the gap', () => {
  const change = clockChangeAt(scheduleOf('30 2 * * *', 'Europe/Berlin'), utc('2026-03-29 01:00'));
  assert.deepEqual(change, {
    kind: 'skipped',
    sentence:
      '2026-03-29 02:30 does not exist in Europe/Berlin (the clocks go forward from 02:00 to 03:00): it runs right after, at 03:00.',
  });
});

test('skipped times that fall on one moment say that they are one firing', () => {
  const sentence = (cron: string): string =>
    clockChangeAt(scheduleOf(cron, 'Europe/Berlin'), utc('2026-03-29 01:00'))?.sentence ?? '';
  const gap = '(the clocks go forward from 02:00 to 03:00)';
  assert.equal(
    sentence('0 2,3 * * *'),
    `2026-03-29 02:00 does not exist in Europe/Berlin ${gap}: it and 03:00 are one firing, at 03:00.`,
  );
  assert.equal(
    sentence('0,30 2 * * *'),
    `2026-03-29 02:00 and 02:30 do not exist in Europe/Berlin ${gap}: they are one firing, at 03:00.`,
  );
});

test('what runs by the clock says at the next firing which ones a gap leaves out', () => {
  const told = (cron: string, tick: string): string | undefined =>
    clockChangeAt(scheduleOf(cron, 'Europe/Berlin'), utc(tick))?.sentence;
  const gap = 'in Europe/Berlin (the clocks go forward from 02:00 to 03:00): it runs by the clock, so not then.';
  assert.equal(told('*/30 2 * * *', '2026-03-30 00:00'), `2026-03-29 02:00 and 02:30 do not exist ${gap}`);
  assert.equal(told('*/30 2 * * *', '2026-03-30 00:30'), undefined, 'and once is enough');
  assert.equal(told('0 */2 * * *', '2026-03-29 02:00'), `2026-03-29 02:00 does not exist ${gap}`);
  assert.equal(told('*/15 * * * *', '2026-03-29 01:00'), `2026-03-29 02:00 to 02:45 do not exist ${gap}`);
  assert.equal(told('*/5 3 * * *', '2026-03-29 01:00'), undefined);
  assert.equal(told('*/30 2 29 3 *', '2027-03-29 00:00'), `2026-03-29 02:00 and 02:30 do not exist ${gap}`);
});

test('a gap over midnight is told with the day that it takes from', () => {
  const change = clockChangeAt(scheduleOf('0 0 * * *', 'Africa/Cairo'), utc('2026-04-23 22:00'));
  assert.match(change?.sentence ?? '', /^2026-04-24 00:00 does not exist in Africa\/Cairo \(.* from 00:00 to 01:00\)/);
});

test('a repeated local time says whether it runs once or twice', () => {
  const once = clockChangeAt(scheduleOf('30 2 * * *', 'Europe/Berlin'), utc('2026-10-25 00:30'));
  assert.equal(once?.kind, 'repeated-once');
  assert.match(once?.sentence ?? '', /2026-10-25 02:30 comes twice in Europe\/Berlin .* once, the first time/);
  const first = clockChangeAt(scheduleOf('0 2 * * *', 'Europe/Berlin'), utc('2026-10-25 00:00'));
  assert.equal(first?.kind, 'repeated-once', 'the first minute that comes again');
  const byTheClock = scheduleOf('*/30 2 * * *', 'Europe/Berlin');
  assert.match(clockChangeAt(byTheClock, utc('2026-10-25 00:30'))?.sentence ?? '', /both times; this is the first/);
  assert.match(clockChangeAt(byTheClock, utc('2026-10-25 01:30'))?.sentence ?? '', /both times; this is the second/);
});

test('ordinary firings have nothing to say, not even next to a change', () => {
  const daily = scheduleOf('0 3 * * *', 'Europe/Berlin');
  for (const tick of ['2026-03-29 01:00', '2026-10-25 02:00', '2026-07-01 01:00']) {
    assert.equal(clockChangeAt(daily, utc(tick)), null, tick);
  }
});

test('local times are written with their offset', () => {
  assert.equal(formatLocalTime('Europe/Berlin', utc('2026-03-29 01:00')), '2026-03-29 03:00 +02:00');
  assert.equal(formatLocalTime('America/St_Johns', utc('2026-01-01 00:00')), '2025-12-31 20:30 -03:30');
  assert.equal(formatLocalTime('UTC', utc('2026-01-01 00:00:05')), '2026-01-01 00:00:05 +00:00');
});
