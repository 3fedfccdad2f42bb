/**
 * How a run ends: by itself when everything has ended, or stopped, by a cancel or by its own time limit. What a stopped
 * run has not started becomes cancelled at once (its finally-steps too: who cancels wants nothing more to start); what
 * runs is to be stopped (`attemptsToStop`) and the run ends when the last attempt has reported.
 */
import { formatDuration } from '../std/duration.ts';
import { stoppedBy } from './attempt.ts';
import type { FinalRunState } from './event.ts';
import { finalStepStates, type Run, type Step } from './run.ts';
import { finish, record, type Turn } from './turn.ts';

/** A run that has ended, or is being stopped already, is left as it is: the first reason counts. */
export function cancel(turn: Turn, by: string, reason: string): void {
  if (turn.run.state !== 'running') return;
  record(turn, { type: 'cancel-requested', at: turn.at, by, reason });
  cancelUnstarted(turn);
}

/** The limits on the run as a whole. */
export function watchClock(turn: Turn): void {
  const { run, at } = turn;
  if (run.state !== 'running') return;
  watchDeadline(turn);
  const timeout = timeoutAt(run);
  if (timeout === null || at < timeout || isComplete(run)) return;
  record(turn, { type: 'run-timed-out', at });
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
  if (run.stopping === null) return;
  const reason = stoppedBy(run.stopping);
  for (const step of run.steps.values()) {
    if (finalStepStates.has(step.state)) continue;
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
