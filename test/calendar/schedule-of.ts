import assert from 'node:assert/strict';

import { parseSchedule, type Schedule } from '../../src/calendar/calendar.ts';

/** The schedule of an expression that is known to be right. */
export function scheduleOf(cron: string, timeZone = 'UTC'): Schedule {
  const parsed = parseSchedule(cron, timeZone);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
  return parsed.value;
}

/** `2026-03-29 01:00` as milliseconds, read as UTC. */
export function utc(text: string): number {
  const time = Date.parse(`${text.replace(' ', 'T')}Z`);
  assert.ok(Number.isFinite(time), text);
  return time;
}

/** Milliseconds as `2026-03-29 01:00`. */
export function utcText(time: number): string {
  return new Date(time)
    .toISOString()
    .replace('T', ' ')
    .replace(/(:00)?\.000Z$/, '');
}
