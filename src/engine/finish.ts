/** What the end of an instance, and of its step, changes for the steps around it. */
import { countOf, moveTo } from './aggregate.ts';
import { lookAt } from './agenda.ts';
import type { FinalStepState } from './event.ts';
import { applyGuard } from './guard.ts';
import { finalStepStates, type Instance, type Run, type Step } from './run.ts';
import type { UpstreamTally } from './trigger-rule.ts';

/** Brings one instance to its end, and its step with the last one. */
export function finishInstance(
  run: Run,
  step: Step,
  instance: Instance,
  state: FinalStepState,
  reason: string | null,
): void {
  moveTo(step, instance, state);
  instance.reason = reason;
  instance.dueAt = null;
  if (countOf(step, state) === 1) tell(run, step, state);
  if (!finalStepStates.has(step.state)) return;
  step.reason = step.definition.map === null ? reason : summary(step);
  leave(run, step);
}

/** Brings a step to its end that has not begun: skipped, upstream failed, cancelled, or not to be mapped. */
export function finishStepAsWhole(run: Run, step: Step, state: FinalStepState, reason: string | null): void {
  const [only] = step.instances ?? [];
  if (only !== undefined) return finishInstance(run, step, only, state, reason);
  step.state = state;
  step.reason = reason;
  tell(run, step, state);
  leave(run, step);
}

const tallied: { readonly [state in FinalStepState]: Exclude<keyof UpstreamTally, 'unfinished'> | null } = {
  success: 'success',
  failed: 'failed',
  upstream_failed: 'upstreamFailed',
  skipped: 'skipped',
  // Neither decides anything of the steps after it: all of those are cancelled too, and nothing is removed from a version.
  removed: null,
  cancelled: null,
};

/** The steps after it, and those that come after all, hear of the first instance that ended so; the rules need no more. */
function tell(run: Run, step: Step, state: FinalStepState): void {
  if (state === 'cancelled' && !step.runsLast) run.others.cancelled += 1;
  const kind = tallied[state];
  if (kind === null) return;
  if (!step.runsLast) run.others[kind] += 1;
  for (const next of step.downstream) {
    next.upstream[kind] += 1;
    lookAt(run, next);
  }
}

function leave(run: Run, step: Step): void {
  for (const next of step.downstream) {
    next.upstream.unfinished -= 1;
    if (next.reads.has(step.definition.name)) next.readsUnfinished -= 1;
    lookAt(run, next);
  }
  applyGuard(run, step);
  if (step.runsLast) {
    run.unfinishedFinallySteps -= 1;
    return;
  }
  run.unfinishedSteps -= 1;
  if (run.unfinishedSteps > 0) return;
  for (const last of run.steps.values()) if (last.runsLast) lookAt(run, last);
}

/** Of a mapped step that failed: how many of its instances, and why the first did. */
function summary(step: Step): string | null {
  const instances = step.instances ?? [];
  const failed = instances.filter((instance) => instance.state === 'failed');
  const [first] = failed;
  if (first === undefined) return instances.find((instance) => instance.reason !== null)?.reason ?? null;
  return `${failed.length} of ${instances.length} instances failed; instance ${first.index}: ${first.reason ?? 'no reason given'}`;
}
