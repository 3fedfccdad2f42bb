import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { firingsBetween } from '../../src/calendar/calendar.ts';
import { scheduleOf, utc, utcText } from './schedule-of.ts';

const docs = readFileSync(new URL('../../docs/schedules.md', import.meta.url), 'utf8');
const row = /^\| `([^`]+)` \| ([A-Z][\w/]+) \| (\d{4}-[\d :-]+) \| ([\d :,-]+) \|/gm;
const examples = [...docs.matchAll(row)].map(([, cron = '', timeZone = '', after = '', next = '']) => ({
  cron,
  timeZone,
  after: after.trim(),
  next: next.trim().split(', '),
}));

test('docs/schedules.md has its examples', () => assert.equal(examples.length, 10));

for (const { cron, timeZone, after, next } of examples) {
  test(`docs/schedules.md is right about ${cron} in ${timeZone} after ${after}`, () => {
    const from = utc(after) + 1;
    const firings = firingsBetween(scheduleOf(cron, timeZone), from, from + 10 * 366 * 86_400_000, next.length);
    assert.deepEqual(firings.map(utcText), next);
  });
}
