import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimiter, namedPauseMs, rateLimits } from '../../../src/forge/github/rate-limit.ts';
import { SettableClock } from './forge-under-test.ts';

const minuteMs = 60_000;

test('59 and 60 writes go within a minute, the 61st goes when the first is a minute old', () => {
  const clock = new SettableClock();
  const limiter = createRateLimiter(clock);
  const start = clock.time;
  for (let count = 1; count <= rateLimits.writesPerMinuteMax; count += 1) {
    assert.equal(limiter.take('write'), null, `write ${count}`);
    clock.time += 10;
  }
  assert.equal(limiter.take('write'), start + minuteMs);
  clock.time = start + minuteMs - 1;
  assert.equal(limiter.take('write'), start + minuteMs);
  clock.time = start + minuteMs;
  assert.equal(limiter.take('write'), null);
  assert.equal(limiter.take('write'), start + minuteMs + 10);
});

test('399 and 400 writes go within an hour, the 401st waits until the first is an hour old', () => {
  const clock = new SettableClock();
  const limiter = createRateLimiter(clock);
  const start = clock.time;
  for (let count = 1; count <= rateLimits.writesPerHourMax; count += 1) {
    assert.equal(limiter.take('write'), null, `write ${count}`);
    clock.time += 2000;
  }
  assert.equal(limiter.take('write'), start + 60 * minuteMs);
  assert.equal(limiter.take('read'), null, 'reading goes on');
  clock.time = start + 60 * minuteMs;
  assert.equal(limiter.take('write'), null);
});

test('899 and 900 points go within a minute, the 901st waits', () => {
  const clock = new SettableClock();
  const limiter = createRateLimiter(clock);
  const start = clock.time;
  for (let count = 1; count <= 60; count += 1) assert.equal(limiter.take('write'), null);
  for (let count = 301; count <= 899; count += 1) assert.equal(limiter.take('read'), null);
  assert.equal(limiter.take('read'), null, 'point 900');
  assert.equal(limiter.take('read'), start + minuteMs);
  clock.time = start + minuteMs;
  assert.equal(limiter.take('read'), null);
});

test('after a refusal nothing goes, not even reading, until the time that was named', () => {
  const clock = new SettableClock();
  const limiter = createRateLimiter(clock);
  assert.equal(limiter.refused(30_000), clock.time + 30_000);
  const until = clock.time + 30_000;
  assert.equal(limiter.take('read'), until);
  clock.time = until - 1;
  assert.equal(limiter.take('write'), until);
  clock.time = until;
  assert.equal(limiter.take('write'), null);
});

test('where no time is named, the pause is a minute and doubles up to an hour, until an answer comes', () => {
  const clock = new SettableClock();
  const limiter = createRateLimiter(clock);
  const pauses: number[] = [];
  for (let count = 0; count < 8; count += 1) {
    pauses.push((limiter.refused(null) - clock.time) / minuteMs);
    clock.time += 60 * minuteMs;
  }
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
  limiter.answered();
  assert.equal(limiter.refused(null) - clock.time, minuteMs);
});

test('an hour is the longest pause that is believed', () => {
  for (const [named, expected] of [
    [rateLimits.pauseMsMax - 1, rateLimits.pauseMsMax - 1],
    [rateLimits.pauseMsMax, rateLimits.pauseMsMax],
    [rateLimits.pauseMsMax + 1, rateLimits.pauseMsMax],
  ] as const) {
    const clock = new SettableClock();
    assert.equal(createRateLimiter(clock).refused(named) - clock.time, expected);
  }
});

test('a clock that is set back neither closes the door for long nor forgets what was sent', () => {
  const clock = new SettableClock();
  const limiter = createRateLimiter(clock);
  for (let count = 0; count < 60; count += 1) limiter.take('write');
  clock.time -= 24 * 60 * minuteMs;
  assert.equal(limiter.take('write'), clock.time + minuteMs);
  clock.time += minuteMs;
  assert.equal(limiter.take('write'), null);
  limiter.refused(30_000);
  clock.time -= 24 * 60 * minuteMs;
  assert.ok((limiter.take('read') ?? 0) <= clock.time + rateLimits.pauseMsMax);
});

test('the pause is retry-after in seconds or as a date, else the reset where nothing is left, by the clock of GitHub', () => {
  const now = Date.parse('2026-01-05T10:00:00Z');
  const theirs = 'Mon, 05 Jan 2026 12:00:00 GMT';
  const pause = (headers: Record<string, string>): number | null => namedPauseMs(new Headers(headers), now);
  const reset = (seconds: number): string => String(Date.parse(theirs) / 1000 + seconds);
  assert.equal(pause({ 'retry-after': '61' }), 61_000);
  assert.equal(pause({ 'retry-after': '0' }), 0);
  assert.equal(pause({ 'retry-after': 'Mon, 05 Jan 2026 12:00:30 GMT', date: theirs }), 30_000);
  assert.equal(
    pause({ 'retry-after': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset(90), date: theirs }),
    5000,
  );
  assert.equal(pause({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset(90), date: theirs }), 90_000);
  assert.equal(pause({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 + 40) }), 40_000);
  assert.equal(pause({ 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': reset(90), date: theirs }), null);
  assert.equal(pause({ 'retry-after': 'soon' }), null);
  assert.equal(pause({}), null);
});
