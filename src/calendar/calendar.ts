/**
 * When is it time? Pure: a cron expression and a time zone become a schedule, and every question about its firings is
 * answered from the instants handed in. The rules over daylight-saving changes are Debian cron's (docs/schedules.md).
 */
export type { Schedule } from './schedule.ts';
export { parseSchedule } from './parse.ts';
export { firingsBetween, intervalOf, nextFiring, previousFiring } from './firing.ts';
export { clockChangeAt } from './clock-change.ts';
export { decideTicks, ticksPerPageMax, type CatchupPolicy, type TickDecision } from './ticks.ts';
export { planBackfill } from './backfill.ts';
export { formatLocalTime } from './zone.ts';
