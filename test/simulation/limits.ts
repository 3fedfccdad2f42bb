/**
 * The limits of a run, by what was kept: its deadline is told once, and not before it; it goes on no longer than its time
 * limit; each instance is tried as often as its step says, and no oftener.
 */
import { engineLimits, type FailureCause, type RunEvent } from '../../src/engine/event.ts';
import { definitionLimits } from '../../src/pipeline/definition-limits.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import { endedIn } from '../support/step-model.ts';
import type { KeptRun } from './history.ts';
import type { World } from './world.ts';

const own: readonly FailureCause[] = ['code', 'timeout', 'out-of-memory', 'output'];
const ofTheGround: readonly FailureCause[] = ['lost', 'evicted', 'start', 'registry'];

/** What happens to a run that has not had its turn. */
const unbegun: readonly RunEvent['type'][] = ['run-opened', 'step-reused', 'deadline-missed'];

export interface BrokenLimit {
  readonly promise: 'deadline' | 'timeout' | 'tries';
  readonly what: string;
}

/** What is wrong with an event that is about to be kept; null where nothing is. */
export function brokenLimit(run: KeptRun, definition: PipelineDefinition, event: RunEvent): BrokenLimit | null {
  if (event.type === 'deadline-missed') return wrongDeadline(run, definition, event.at);
  if (event.type === 'run-timed-out') return wrongTimeout(run, definition, event.at);
  if (event.type === 'finally-timed-out') return wrongFinallyTimeout(run, definition, event.at);
  if (event.type === 'attempt-started') return triedTooOften(run, definition, event);
  if (event.type === 'step-finished') return triedTooSeldom(run, definition, event);
  const isEnd = event.type === 'cancel-requested' || event.type === 'run-finished';
  return isEnd ? untoldDeadline(run, definition, event.at) : null;
}

/** A run that is past its deadline, or its time limit, for longer than any server needs to see it. */
export function overlookedLimit(world: World): BrokenLimit | null {
  const { history, time, steadySince, isDoubtful, conducting } = world;
  const withinMs = isDoubtful ? 120_000 : 45_000;
  if (conducting === null || time.now < steadySince + withinMs) return null;
  const before = world.wallClock() + conducting.machine.skewMs - withinMs;
  for (const id of history.unfinished) {
    const run = history.runs.get(id);
    if (run === undefined) continue;
    const { deadlineMs, runTimeoutMs } = run.definition;
    if (isStopped(run)) {
      const until = finallyUntil(run, run.definition);
      if (until === null || before < until || has(run, 'finally-timed-out') || has(run, 'finally-cancel-requested'))
        continue;
      return { promise: 'timeout', what: `the finally-steps of ${id} go on after their time limit` };
    }
    if (deadlineMs !== null && before >= run.opened.at + deadlineMs && !has(run, 'deadline-missed'))
      return { promise: 'deadline', what: `${id} of ${run.opened.pipeline} is late, and it was not noticed` };
    const begunAt = run.events.find(({ type }) => type === 'step-scheduled' || type === 'attempt-started')?.at;
    if (runTimeoutMs !== null && begunAt !== undefined && before >= begunAt + runTimeoutMs)
      return { promise: 'timeout', what: `${id} of ${run.opened.pipeline} goes on after its time limit` };
  }
  return null;
}

function wrongDeadline(run: KeptRun, { deadlineMs }: PipelineDefinition, at: number): BrokenLimit | null {
  const { runId } = run.opened;
  if (has(run, 'deadline-missed')) return { promise: 'deadline', what: `that ${runId} is late was told twice` };
  if (deadlineMs !== null && at >= run.opened.at + deadlineMs) return null;
  return { promise: 'deadline', what: `${runId} was said to be late, and is not` };
}

/** What ended, or was stopped, after its deadline was late. */
function untoldDeadline(run: KeptRun, { deadlineMs }: PipelineDefinition, at: number): BrokenLimit | null {
  if (deadlineMs === null || at < run.opened.at + deadlineMs || has(run, 'deadline-missed') || isStopped(run))
    return null;
  return { promise: 'deadline', what: `${run.opened.runId} was late, and nobody was told` };
}

function wrongTimeout(run: KeptRun, { runTimeoutMs }: PipelineDefinition, at: number): BrokenLimit | null {
  // By the clock of whoever began it, which may be behind that of whoever opened it.
  const begunAt = run.events.find(({ type }) => !unbegun.includes(type))?.at;
  if (runTimeoutMs !== null && begunAt !== undefined && at >= begunAt + runTimeoutMs) return null;
  return { promise: 'timeout', what: `${run.opened.runId} was stopped before its time limit` };
}

function wrongFinallyTimeout(run: KeptRun, definition: PipelineDefinition, at: number): BrokenLimit | null {
  const until = finallyUntil(run, definition);
  if (until !== null && at >= until) return null;
  return { promise: 'timeout', what: `the finally-steps of ${run.opened.runId} were stopped before their time limit` };
}

/** Of a run that is stopped, once all other steps have ended. */
function finallyUntil({ events }: KeptRun, definition: PipelineDefinition): number | null {
  const others = definition.steps.filter((step) => !step.finally);
  if (others.some((step) => !endedIn(events, step).isFinal)) return null;
  const decisive = events.filter(
    (event) =>
      event.type === 'cancel-requested' ||
      event.type === 'run-timed-out' ||
      (event.type === 'step-finished' && others.some(({ name }) => name === event.step)),
  );
  const last = decisive.at(-1);
  return last === undefined
    ? null
    : last.at + (definition.finallyTimeoutMs ?? definitionLimits.finallyTimeoutDefaultMs);
}

function triedTooOften(
  run: KeptRun,
  { steps }: PipelineDefinition,
  { step: name, index }: Extract<RunEvent, { type: 'attempt-started' }>,
): BrokenLimit | null {
  const step = steps.find((each) => each.name === name);
  const causes = causesOf(run, name, index);
  const final = causes.find((cause) => ![...own, ...ofTheGround, 'shutdown'].includes(cause));
  const isLeft =
    step !== undefined && final === undefined && budgetsOf(step, causes).every(({ used, of }) => used <= of);
  if (isLeft) return null;
  return { promise: 'tries', what: `${run.opened.runId}/${name}/${index} is tried again after ${causes.join(', ')}` };
}

function triedTooSeldom(
  run: KeptRun,
  { steps }: PipelineDefinition,
  { step: name, index, state }: Extract<RunEvent, { type: 'step-finished' }>,
): BrokenLimit | null {
  const step = steps.find((each) => each.name === name);
  const last = run.events.findLast(
    (each) => each.type === 'attempt-finished' && each.step === name && each.index === index,
  );
  if (state !== 'failed' || index === null || step === undefined || last?.type !== 'attempt-finished') return null;
  if (last.outcome.kind !== 'failed' || isStopped(run)) return null;
  const { cause } = last.outcome;
  // Its memory cannot grow any more.
  const isFull = cause === 'out-of-memory' && step.memory?.growth !== undefined;
  const budget = budgetsOf(step, causesOf(run, name, index)).find(({ causes }) => causes.includes(cause));
  if (isFull || budget === undefined || budget.used > budget.of) return null;
  const what = `${run.opened.runId}/${name}/${index} was given up after ${budget.used} tries, of ${budget.of + 1}`;
  return { promise: 'tries', what };
}

function budgetsOf(
  { retry }: StepDefinition,
  failures: readonly FailureCause[],
): readonly { readonly causes: readonly FailureCause[]; readonly used: number; readonly of: number }[] {
  const used = (causes: readonly FailureCause[]): number => failures.filter((cause) => causes.includes(cause)).length;
  return [
    { causes: own, used: used(own), of: retry.count },
    { causes: ofTheGround, used: used(ofTheGround), of: engineLimits.infrastructureRetriesMax },
  ];
}

function causesOf({ events }: KeptRun, step: string, index: number): readonly FailureCause[] {
  return events.flatMap((event) => {
    if (event.type !== 'attempt-finished' || event.step !== step || event.index !== index) return [];
    return event.outcome.kind === 'failed' ? event.outcome.cause : [];
  });
}

function isStopped(run: KeptRun): boolean {
  return has(run, 'cancel-requested') || has(run, 'run-timed-out');
}

function has({ events }: KeptRun, type: RunEvent['type']): boolean {
  return events.some((event) => event.type === type);
}
