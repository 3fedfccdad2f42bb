/** Makes the view of a step from what the journal says about it. */
import type { Attempt, Instance, Step } from '../engine/run.ts';
import { finalStepStates } from '../engine/run.ts';
import type { AttemptOutcome, StepState } from '../engine/event.ts';
import type { Work } from '../pipeline/definition.ts';
import { unreachable } from '../std/unreachable.ts';
import { viewLimits, type Bar, type StepView } from './run-view.ts';

/** What a reader wants to see first: failed before running before the rest. */
export const urgency: readonly StepState[] = [
  'failed',
  'upstream_failed',
  'up_for_retry',
  'running',
  'queued',
  'deferred',
  'scheduled',
  'none',
  'cancelled',
  'skipped',
  'removed',
  'success',
];

/** A run that neither is another one once more, nor was run again, and follows none. */
export function stepViewOf(step: Step): StepView {
  const { definition } = step;
  const mapped = definition.map !== null;
  const instances = step.instances ?? [];
  const attempts = instances.flatMap((instance) => instance.attempts);
  // When one that nobody decided ended, the run does not say.
  const approvals = instances
    .flatMap(({ approval }) => approval ?? [])
    .filter(({ decision }) => decision !== null || step.state === 'deferred');
  const waits = instances.flatMap(({ wait }) => wait ?? []);
  const unfinished = attempts.some((attempt) => attempt.outcome === null) || step.state === 'deferred';
  const dueTimes = instances.flatMap((instance) => instance.dueAt ?? []);
  return {
    name: definition.name,
    kind: definition.work.kind,
    state: step.state,
    message: messageOf(step),
    mapped,
    counts: mapped ? countsOf(instances) : [],
    attempts: attempts.length,
    startedAt: least([
      ...attempts.map((attempt) => attempt.startedAt),
      ...approvals.map(({ requestedAt }) => requestedAt),
      ...waits.map(({ since }) => since),
    ]),
    finishedAt: unfinished
      ? null
      : greatest([
          ...attempts.flatMap((attempt) => attempt.finishedAt ?? []),
          ...approvals.flatMap(({ decision }) => decision?.at ?? []),
          ...waits.flatMap(({ endedAt }) => endedAt ?? []),
        ]),
    dueAt: finalStepStates.has(step.state) ? null : least(dueTimes),
    reusedFrom: step.reusedFrom,
    fromCache: isFromCache(instances),
    bars: barsOf(instances, definition.work.kind),
  };
}

function isFromCache(instances: readonly Instance[]): boolean {
  return instances.length > 0 && instances.every(({ attempts }) => attempts.at(-1)?.cache?.found === true);
}

function countsOf(instances: readonly Instance[]): StepView['counts'] {
  const counts = new Map<StepState, number>();
  for (const { state } of instances) counts.set(state, (counts.get(state) ?? 0) + 1);
  return urgency.flatMap((state) => {
    const count = counts.get(state);
    return count === undefined ? [] : [{ state, count }];
  });
}

function messageOf(step: Step): string | null {
  if (step.state === 'success' || step.state === 'running') return null;
  for (const instance of step.instances ?? []) {
    const outcome = instance.attempts.at(-1)?.outcome ?? null;
    if (outcome?.kind === 'failed') return outcome.message;
    if (instance.state === 'up_for_retry' && instance.wait?.failure != null) return instance.wait.failure.message;
  }
  return step.reason ?? step.instances?.[0]?.reason ?? step.instances?.[0]?.approval?.message ?? null;
}

/** Attempts, and waits. Above `barsMax` of them only the spans in which any was on its way. */
function barsOf(instances: readonly Instance[], kind: Work['kind']): readonly Bar[] {
  const bars = instances.flatMap(({ attempts, wait, state }): Bar[] => [
    ...attempts.map((attempt) => ({
      from: attempt.startedAt,
      runningAt: attempt.runningAt,
      to: attempt.finishedAt,
      state: attemptState(attempt, kind),
    })),
    ...(wait === null ? [] : [{ from: wait.since, runningAt: wait.since, to: wait.endedAt, state }]),
  ]);
  if (bars.length <= viewLimits.barsMax) return bars;
  const spans: { from: number; runningAt: number | null; to: number | null; state: StepState }[] = [];
  for (const bar of bars.sort((left, right) => left.from - right.from)) {
    const last = spans.at(-1);
    if (last === undefined || (last.to !== null && last.to < bar.from)) {
      spans.push({ ...bar, runningAt: bar.from });
    } else {
      last.to = last.to === null || bar.to === null ? null : Math.max(last.to, bar.to);
      if (urgency.indexOf(bar.state) < urgency.indexOf(last.state)) last.state = bar.state;
    }
  }
  return spans.slice(-viewLimits.barsMax);
}

export function attemptState({ outcome, runningAt }: Attempt, kind: Work['kind']): StepState {
  if (outcome === null) return runningAt === null ? 'queued' : 'running';
  // A gate that measured has succeeded as an attempt; what a reader asks is whether the data passed.
  const stopped =
    kind === 'gate' &&
    outcome.kind === 'succeeded' &&
    outcome.control !== null &&
    'pass' in outcome.control &&
    !outcome.control.pass;
  return stopped ? 'failed' : outcomeState(outcome);
}

function outcomeState(outcome: AttemptOutcome): StepState {
  switch (outcome.kind) {
    case 'succeeded':
      return 'success';
    case 'failed':
      return outcome.cause === 'cancelled' ? 'cancelled' : 'failed';
    case 'skipped':
      return 'skipped';
    default:
      return unreachable(outcome);
  }
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((left, right) => Math.min(left, right));
}

function greatest(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((left, right) => Math.max(left, right));
}
