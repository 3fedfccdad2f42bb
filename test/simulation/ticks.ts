/**
 * What became of the ticks, judged by the second opinion on firing times (`test/calendar/oracle.ts`): each has its record,
 * and the record says why: a run of the interval that ends there, or a miss that the pipeline asks for.
 */
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { oracleCron, oracleFirings, wallsBetween } from '../calendar/oracle.ts';
import type { KeptTick } from './history.ts';
import type { World } from './world.ts';

/** A server looks at the clock each minute, and answers take a while. */
const recordedWithinMs = 90_000;
const onTimeWithinMs = 60_000;
const runsAtOnceMax = 10;
const dayMs = 86_400_000;

type Due = Pick<NonNullable<PipelineDefinition['on']['schedule']>, 'cron' | 'timeZone'>;

/** By expression, zone and day: the firings of that day of UTC. */
const known = new Map<string, readonly number[]>();

function firingsOn(day: number, { cron, timeZone }: Due): readonly number[] {
  const key = `${cron} ${timeZone} ${day}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  // What a gap of the day before leaves to be made up for belongs to this one.
  const from = (day - 1) * dayMs;
  const all = oracleFirings(oracleCron(cron), wallsBetween(timeZone, from, from + 2 * dayMs), from);
  const firings = all.filter((firing) => firing >= day * dayMs);
  known.set(key, firings);
  return firings;
}

/** At or after `fromMs`, and before `toMs`. */
function firingsBetween(due: Due, fromMs: number, toMs: number): readonly number[] {
  const first = Math.floor(fromMs / dayMs);
  const days = Array.from({ length: Math.max(0, Math.floor(toMs / dayMs) - first + 1) }, (_, index) => first + index);
  return days.flatMap((day) => firingsOn(day, due)).filter((firing) => firing >= fromMs && firing < toMs);
}

/** What was due has its record, but for the last moment's; null: all of it. */
export function unrecorded(world: World, { name, on }: PipelineDefinition): string | null {
  const { history } = world;
  if (on.schedule === null) return null;
  const since = history.since.get(name);
  if (since === undefined) return `the schedule of ${name} is not followed`;
  const due = firingsBetween(on.schedule, since + 1, world.wallClock() - recordedWithinMs);
  const missing = due.find((tick) => history.ticks.get(name)?.has(tick) !== true);
  return missing === undefined ? null : `${name} has no record of ${new Date(missing).toISOString()}`;
}

/** From the first to the last record no tick is missing, none is there that the calendar does not know, and each is right. */
export function wrongTicks(world: World): string | null {
  const { history, catalogue } = world;
  for (const [pipeline, ticks] of history.ticks) {
    const definition = catalogue.definition(pipeline, 0);
    const { schedule } = definition.on;
    if (schedule === null) return `${pipeline} has ticks, and no schedule`;
    const since = history.since.get(pipeline);
    const due = since === undefined ? [] : firingsBetween(schedule, since + 1, Math.max(...ticks.keys()) + 1);
    const hole = due.find((tick) => !ticks.has(tick));
    if (hole !== undefined) return `${pipeline} has no record of ${new Date(hole).toISOString()}`;
    const calendar = new Set(due);
    for (const tick of ticks.values()) {
      const wrong = calendar.has(tick.tick) ? wrongTick(world, definition, schedule, tick) : 'no tick';
      if (wrong !== null) return `${pipeline} has a record of ${new Date(tick.tick).toISOString()}, ${wrong}`;
    }
  }
  return null;
}

function wrongTick(world: World, definition: PipelineDefinition, due: Due, kept: KeptTick): string | null {
  const { decision, tick, reason } = kept;
  if (decision === 'missed')
    return isMiss(world, definition, kept) ? null : `which was missed without a cause: ${reason}`;
  const opened = world.history.runs.get(kept.runId ?? '')?.opened;
  if (opened?.trigger.kind !== 'schedule' || opened.trigger.tick !== tick || opened.pipeline !== definition.name)
    return `whose run ${kept.runId} is of another`;
  const start = firingsBetween(due, tick - 2 * dayMs, tick).at(-1);
  return opened.logicalDate === start && opened.dataIntervalEnd === tick ? null : `whose run is for another interval`;
}

/** Late, and not to be caught up; or kept from it by a run, or by a parameter that nobody gives. */
function isMiss({ history }: World, { name, on, overlap, parameters }: PipelineDefinition, kept: KeptTick): boolean {
  const { tick, at } = kept;
  if (Object.values(parameters).some((parameter) => parameter.default === null)) return true;
  if (overlap === 'forbid' && history.refusedTicks.has(`${name} ${tick}`)) return true;
  if (on.schedule === null || at - tick <= onTimeWithinMs) return false;
  const { catchup } = on.schedule;
  const later = firingsBetween(on.schedule, tick + 1, at + 1).length;
  // Runs that replace one another: the latest alone is worth its while.
  const atOnce = catchup === 'latest' || overlap === 'replace' ? 1 : runsAtOnceMax;
  return catchup === 'none' || later >= atOnce;
}
