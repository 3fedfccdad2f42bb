/**
 * How a run ends: by itself when everything has ended, or stopped, by a cancel or by its own time limit. What a stopped
 * run has not started becomes cancelled at once; what runs is to be stopped (`attemptsToStop`). When the last of it has
 * reported, the finally-steps run, as long as they have time and nobody cancels the run again; then the run ends, as what
 * it was stopped for.
 *
 *   running ─► cancelling: others end ─► finally-steps run ─► cancelled, or failed by the time limit
 *                                              └ again, or out of their time: they end too ─┘
 */
import { formatDuration } from '../std/duration.ts';
import { definitionLimits } from '../pipeline/definition-limits.ts';
import { stoppedBy, stoppingOf } from './attempt.ts';
import type { FinalRunState } from './event.ts';
import { finalStepStates, type Run, type Step } from './run.ts';
import { finish, record, type Turn } from './turn.ts';

/**
 * A run that has ended, or is being stopped already, is left as it is: the first reason counts. One that never began has
 * nothing to clean up after.
 */
export function cancel(turn: Turn, by: string, reason: string): void {
  if (turn.run.state !== 'running') return;
  const hasBegun = turn.run.begunAt !== null;
  record(turn, { type: 'cancel-requested', at: turn.at, by, reason });
  if (!hasBegun) record(turn, { type: 'finally-cancel-requested', at: turn.at, by, reason });
  cancelUnstarted(turn);
}

/** Of a run that is being stopped; nothing comes of it the second time. */
export function cancelFinally(turn: Turn, by: string, reason: string): void {
  const { stopping, finallyStopping } = turn.run;
  if (stopping === null || finallyStopping !== null) return;
  record(turn, { type: 'finally-cancel-requested', at: turn.at, by, reason });
  cancelUnstarted(turn);
}

/** The limits on the run as a whole. */
export function watchClock(turn: Turn): void {
  const { run, at } = turn;
  if (isComplete(run)) return watchDeadline(turn);
  if (run.state === 'running') {
    watchDeadline(turn);
    const timeout = timeoutAt(run);
    if (timeout === null || at < timeout) return;
    record(turn, { type: 'run-timed-out', at });
  } else {
    const timeout = finallyTimeoutAt(run);
    if (timeout === null || at < timeout) return;
    record(turn, { type: 'finally-timed-out', at });
  }
  cancelUnstarted(turn);
}

/** A missed deadline is told once, and changes nothing else. */
export function watchDeadline(turn: Turn): void {
  const { run, at } = turn;
  const deadline = deadlineAt(run);
  if (run.state === 'running' && deadline !== null && at >= deadline) record(turn, { type: 'deadline-missed', at });
}

/** When a running run is ended by its time limit, or null. What it waited for its turn does not count. */
export function timeoutAt({ definition: { runTimeoutMs }, begunAt }: Run): number | null {
  return runTimeoutMs === null || begunAt === null ? null : begunAt + runTimeoutMs;
}

/** When the finally-steps of a run that is being stopped are ended too, or null. */
export function finallyTimeoutAt({ definition, finallySince, finallyStopping }: Run): number | null {
  if (finallySince === null || finallyStopping !== null) return null;
  return finallySince + (definition.finallyTimeoutMs ?? definitionLimits.finallyTimeoutDefaultMs);
}

/** When the deadline that was not missed yet is missed, or null. It is a promise to people: waiting counts. */
export function deadlineAt(run: Run): number | null {
  const { deadlineMs } = run.definition;
  return deadlineMs === null || run.deadlineMissed ? null : run.opened.at + deadlineMs;
}

/** Ends the run where every step has ended. */
export function finishRun(turn: Turn): void {
  const { run, at } = turn;
  if (run.finishedAt !== null || !isComplete(run)) return;
  const { state, reason } = resultOf(run);
  record(turn, { type: 'run-finished', at, state, reason });
}

function isComplete(run: Run): boolean {
  return run.unfinishedSteps + run.unfinishedFinallySteps === 0;
}

function cancelUnstarted(turn: Turn): void {
  const { run } = turn;
  for (const step of run.steps.values()) {
    const stopping = stoppingOf(run, step);
    if (stopping === null || finalStepStates.has(step.state)) continue;
    const reason = stoppedBy(stopping, step.runsLast);
    const hasInstances = step.definition.map !== null && step.instances !== null;
    if (step.state === 'none' && !hasInstances) {
      finish(turn, step, null, 'cancelled', reason);
      continue;
    }
    for (const instance of step.instances ?? []) {
      if (finalStepStates.has(instance.state) || run.active.has(instance)) continue;
      finish(turn, step, instance.index, 'cancelled', reason);
    }
  }
}

/** A run failed where a leaf, a gate or a finally-step did, or could not start for a failure before it. */
function resultOf(run: Run): { state: FinalRunState; reason: string | null } {
  if (run.stopping?.cause === 'cancelled') return { state: 'cancelled', reason: stoppedBy(run.stopping) };
  if (run.stopping?.cause === 'timeout') {
    const limit = formatDuration(run.definition.runTimeoutMs ?? 0);
    return { state: 'failed', reason: `timeout: the run was stopped after its limit of ${limit}` };
  }
  for (const step of run.steps.values()) {
    const decisive = step.downstream.length === 0 || step.runsLast || step.definition.work.kind === 'gate';
    if (!decisive || !isFailure(step)) continue;
    const first = rootOf(run, step);
    return { state: 'failed', reason: `${first.definition.name} failed: ${first.reason ?? 'no reason given'}` };
  }
  return { state: 'success', reason: null };
}

/** The failed step that an upstream failed one goes back to, by the first failure on the way. */
function rootOf(run: Run, step: Step): Step {
  let root = step;
  while (root.state === 'upstream_failed') {
    const names = root.definition.upstream;
    const cause = names
      .map((name) => run.steps.get(name))
      .find((upstream) => upstream !== undefined && isFailure(upstream));
    if (cause === undefined) return root;
    root = cause;
  }
  return root;
}

function isFailure(step: Step): boolean {
  return step.state === 'failed' || step.state === 'upstream_failed';
}
