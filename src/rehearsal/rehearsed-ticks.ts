/** The ticks of a schedule in a window of time, and what becomes of the run of each beside the others. */
import type { Pools } from '../admission/admission.ts';
import { clockChangeAt, decideTicks, intervalOf, nextFiring, type Schedule } from '../calendar/calendar.ts';
import type { FinalRunState, RunOpened } from '../engine/event.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../std/problem.ts';
import { success, type Result } from '../std/result.ts';
import type { Pretences } from './pretences.ts';
import { openedOf, rehearsedRunOf } from './rehearsed-run.ts';
import { rehearsalLimits, Stage } from './stage.ts';

export interface RehearsedTicks {
  /** The earliest first, at most `rehearsalLimits.ticksMax`. */
  readonly ticks: readonly RehearsedTick[];
  /** Whether the window has more of them. */
  readonly more: boolean;
}

/** Times are milliseconds since the epoch. */
export interface RehearsedTick {
  readonly tick: number;
  readonly logicalDate: number;
  /** What a change of the clocks does to it, in a sentence; null for the ordinary ones. */
  readonly clockChange: string | null;
  /** Why it ran, or did not. */
  readonly reason: string;
  /** Null: it is missed. */
  readonly run: RehearsedTickRun | null;
}

export interface RehearsedTickRun {
  readonly state: FinalRunState;
  readonly refused: boolean;
  readonly reason: string | null;
  /** Later than its tick where it waits for those before it. */
  readonly beginsAt: number;
  readonly endsAt: number;
}

export interface TicksRequest {
  readonly definition: PipelineDefinition;
  readonly schedule: Schedule;
  readonly pretences: Pretences;
  readonly slots: number;
  /** Slots by the name of the pool. */
  readonly pools: Pools;
  /** Included. */
  readonly from: number;
  /** Not included. */
  readonly until: number;
  /** The defaults, or why there are none for a parameter: then a schedule runs nothing. */
  readonly parameters: Result<RunOpened['parameters'], string>;
}

export function rehearseTicks(request: TicksRequest): Result<RehearsedTicks, Problem> {
  const { definition, schedule, pretences, slots, pools, from, until } = request;
  const decided: { readonly tick: number; readonly runId: string | null; readonly reason: string }[] = [];
  const runs = new Map<string, RehearsedTickRun>();
  const stage = new Stage(from, {
    definition,
    pretences,
    slots,
    pools,
    ended: (run, beginsAt, looks) => {
      const { state, reason, refused, durationMs } = rehearsedRunOf(run, pretences, looks);
      runs.set(run.opened.runId, { state, refused, reason, beginsAt, endsAt: run.opened.at + durationMs });
    },
  });
  let lastRecorded = from - 1;
  const fire = (): void => {
    const catchup = definition.on.schedule?.catchup ?? 'none';
    const replaces = definition.overlap === 'replace';
    const due = { schedule, lastRecorded, now: stage.now, catchup, heldUpSince: null, replaces };
    for (const { tick, decision, reason } of decideTicks(due)) {
      lastRecorded = tick;
      const opened = openedAt(request, tick, decided.length);
      const refused = decision === 'missed' ? reason : opened.ok ? stage.open(opened.value)?.reason : opened.error;
      decided.push({
        tick,
        runId: refused === undefined && opened.ok ? opened.value.runId : null,
        reason: refused ?? reason,
      });
    }
    const next = nextFiring(schedule, stage.now);
    if (next !== null && next < until && decided.length < rehearsalLimits.ticksMax) stage.plan(next, fire);
  };
  const first = nextFiring(schedule, from - 1);
  if (first !== null && first < until) stage.plan(first, fire);
  const played = stage.play();
  if (!played.ok) return played;
  const ticks = decided.map(({ tick, runId, reason }) => ({
    tick,
    logicalDate: intervalOf(schedule, tick).start,
    clockChange: clockChangeAt(schedule, tick)?.sentence ?? null,
    reason,
    run: runId === null ? null : (runs.get(runId) ?? null),
  }));
  const following = nextFiring(schedule, lastRecorded);
  return success({ ticks, more: following !== null && following < until });
}

function openedAt(request: TicksRequest, tick: number, number: number): Result<RunOpened, string> {
  const { definition, schedule, parameters } = request;
  if (!parameters.ok) return parameters;
  const interval = intervalOf(schedule, tick);
  return success({
    ...openedOf(definition, number),
    at: tick,
    trigger: { kind: 'schedule', tick },
    logicalDate: interval.start,
    dataIntervalEnd: interval.end,
    parameters: parameters.value,
  });
}
