/**
 * When is it time? Pure: a cron expression and a time zone become a schedule, and every question about its firings is
 * answered from the instants handed in. The rules over daylight-saving changes are Debian cron's (docs/schedules.md).
 */
export type { Schedule } from './schedule.ts';
export { parseSchedule } from './parse.ts';
export { firingsBetween, intervalOf, nextFiring, previousFiring, type Interval } from './firing.ts';
export { clockChangeAt, type ClockChange } from './clock-change.ts';
export { decideTicks, ticksPerPageMax, type CatchupPolicy, type TickDecision, type TicksDue } from './ticks.ts';
export { planBackfill, type BackfillRange } from './backfill.ts';
export { formatLocalTime } from './zone.ts';
