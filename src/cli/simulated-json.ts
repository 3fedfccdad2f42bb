/** A simulation as one JSON document: docs/simulate.md says what each field means. */
import { formatLocalTime } from '../calendar/calendar.ts';
import type { RunOpened } from '../engine/event.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { RehearsedRun, RehearsedTicks } from '../rehearsal/rehearsal.ts';
import type { SimulatedWindow } from './simulated-ticks-text.ts';

export interface Simulation {
  readonly definition: PipelineDefinition;
  readonly assumed: readonly string[];
  readonly run: RehearsedRun;
  /** Names of the pipelines that it would start. */
  readonly followers: readonly string[];
  readonly logicalDate: number;
  readonly parameters: RunOpened['parameters'];
}

export function runJson({ definition, assumed, run, followers, logicalDate, parameters }: Simulation): object {
  return {
    pipeline: definition.name,
    assumed,
    logicalDate: new Date(logicalDate).toISOString(),
    parameters,
    run,
    followers,
  };
}

export function ticksJson(
  definition: PipelineDefinition,
  assumed: readonly string[],
  window: SimulatedWindow & { readonly cron: string },
  { ticks, more }: RehearsedTicks,
): object {
  const { cron, timeZone, from, until } = window;
  return {
    pipeline: definition.name,
    assumed,
    schedule: { cron, timeZone, from: iso(from), until: iso(until) },
    maxActiveRuns: definition.maxActiveRuns,
    overlap: definition.overlap,
    ticks: ticks.map(({ tick, logicalDate, clockChange, reason, run }) => ({
      tick: iso(tick),
      local: formatLocalTime(timeZone, tick),
      logicalDate: iso(logicalDate),
      clockChange,
      reason,
      run: run === null ? null : { ...run, beginsAt: iso(run.beginsAt), endsAt: iso(run.endsAt) },
    })),
    more,
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
