/** Schedules and their next firings, from a library that follows Debian's cron. */
import { z } from 'zod';

import { nextFiring, parseSchedule } from '../../src/calendar/calendar.ts';
import type { CaseFailure } from './case.ts';

const cronCase = z.object({
  cron: z.string(),
  timezone: z.string(),
  after: z.iso.datetime(),
  next: z.array(z.iso.datetime()),
});

/** Finds as many firings as are expected and compares them as instants. */
export function runCase(value: unknown, line: number): CaseFailure | null {
  const { cron, timezone, after, next } = cronCase.parse(value);
  const id = `line ${line}: ${cron} in ${timezone} after ${after}`;
  const schedule = parseSchedule(cron, timezone);
  if (!schedule.ok) return { id, expected: next, got: schedule.error };
  const got: string[] = [];
  let firing = nextFiring(schedule.value, Date.parse(after));
  while (firing !== null && got.length < next.length) {
    got.push(new Date(firing).toISOString());
    firing = nextFiring(schedule.value, firing);
  }
  const expected = next.map((time) => new Date(time).toISOString());
  return expected.join() === got.join() ? null : { id, expected, got };
}
