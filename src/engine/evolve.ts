/**
 * The fold: what each event makes of a run. An event that the state of its instance does not allow is a bug or a
 * damaged journal, and throws.
 *
 *   none ─► scheduled ─► queued ─► running ─► (a final state)
 *              ▲           └──┬───────┘
 *              │              ▼
 *              └── up_for_retry
 *
 *   none ─► deferred ─► (a final state), for an approval and a wait
 *              ▲ ▼
 *          up_for_retry, for a wait whose look failed
 *
 * Any state that is not final may also become final at once: skipped, upstream_failed, cancelled.
 */
import { unreachable } from '../std/unreachable.ts';
import { offer } from './agenda.ts';
import { budgetOf } from './back-off.ts';
import type { AttemptKey, FailureCause, RunEvent, StepState } from './event.ts';
import { newInstance } from './open.ts';
import { finishInstance, finishStepAsWhole } from './finish.ts';
import { moveTo } from './aggregate.ts';
import { finalStepStates, type Attempt, type Instance, type Run, type Step, type Stopping } from './run.ts';

/** In which states of an instance an event can happen to it. */
const possibleIn = {
  'step-scheduled': ['none', 'up_for_retry'],
  'attempt-started': ['scheduled'],
  'attempt-running': ['queued'],
  'cache-looked-up': ['queued', 'running'],
  'attempt-finished': ['queued', 'running'],
  'retry-planned': ['queued', 'running', 'deferred'],
  'step-reused': ['none'],
  'wait-begun': ['none', 'up_for_retry'],
  'wait-seen': ['deferred'],
  'look-failed': ['deferred'],
  'approval-requested': ['none'],
  'approval-decided': ['deferred'],
  'step-finished': ['none', 'scheduled', 'queued', 'running', 'up_for_retry', 'deferred'],
} as const satisfies { readonly [type in RunEvent['type']]?: readonly StepState[] };

/** What a run that waits for its turn may know already: the results that it was opened with, and that it is late. */
const beforeItsTurn: ReadonlySet<RunEvent['type']> = new Set(['step-mapped', 'step-reused', 'deadline-missed']);

/** Folds one event into `run`. Throws where it cannot have happened. */
export function evolve(run: Run, event: RunEvent): void {
  if (run.finishedAt !== null && event.type !== 'late-report-ignored') impossible(event, 'the run has ended');
  switch (event.type) {
    case 'run-opened':
      return impossible(event, 'the run is open already');
    case 'step-mapped':
      mapStep(run, event);
      break;
    case 'step-scheduled':
    case 'attempt-started':
    case 'attempt-running':
    case 'cache-looked-up':
    case 'attempt-finished':
    case 'retry-planned':
    case 'late-report-ignored':
      evolveInstance(run, event);
      break;
    case 'wait-begun':
    case 'wait-seen':
    case 'look-failed':
      evolveWait(run, event);
      break;
    case 'approval-requested':
    case 'approval-decided':
      evolveApproval(run, event);
      break;
    case 'step-finished':
      finishStep(run, event);
      break;
    case 'step-reused':
      reuseStep(run, event);
      break;
    case 'cancel-requested':
      stop(run, event, { cause: 'cancelled', by: event.by, reason: event.reason });
      break;
    case 'run-timed-out':
      stop(run, event, { cause: 'timeout' });
      break;
    case 'finally-cancel-requested':
      stopFinally(run, event, { cause: 'cancelled', by: event.by, reason: event.reason });
      break;
    case 'finally-timed-out':
      stopFinally(run, event, { cause: 'timeout' });
      break;
    case 'deadline-missed':
      run.deadlineMissed = true;
      break;
    case 'run-finished':
      if (run.unfinishedSteps + run.unfinishedFinallySteps > 0) impossible(event, 'some steps have not ended');
      run.state = event.state;
      run.reason = event.reason;
      run.finishedAt = event.at;
      run.stopping = null;
      run.finallyStopping = null;
      break;
    default:
      unreachable(event);
  }
  if (run.stopping !== null && run.unfinishedSteps === 0) run.finallySince ??= event.at;
  if (!beforeItsTurn.has(event.type)) run.begunAt ??= event.at;
  run.position += 1;
}

type InstanceEvent = Extract<
  RunEvent,
  { type: 'step-scheduled' | 'cache-looked-up' | 'late-report-ignored' | 'retry-planned' | `attempt-${string}` }
>;

function evolveInstance(run: Run, event: InstanceEvent): void {
  const { step, instance } = find(run, event);
  if (event.type !== 'late-report-ignored') demand(event, instance);
  switch (event.type) {
    case 'step-scheduled':
      instance.dueAt = null;
      moveTo(step, instance, 'scheduled');
      step.ready.add(instance.index);
      return offer(run, step);
    case 'attempt-started':
      return startAttempt(run, step, instance, event);
    case 'attempt-running': {
      const attempt = currentAttempt(instance, event);
      attempt.runningAt = event.at;
      attempt.place = event.place;
      return moveTo(step, instance, 'running');
    }
    case 'cache-looked-up':
      currentAttempt(instance, event).cache = event.look;
      return;
    case 'attempt-finished':
      return finishAttempt(run, step, instance, event);
    case 'retry-planned':
      if (run.active.has(instance)) impossible(event, 'its attempt has not ended');
      if (instance.state === 'deferred' && instance.wait?.failure == null)
        impossible(event, 'no look of it has failed');
      instance.dueAt = event.dueAt;
      moveTo(step, instance, 'up_for_retry');
      return run.due.add({ dueAt: event.dueAt, instance, step });
    case 'late-report-ignored': {
      const attempt = instance.attempts[event.attempt - 1];
      if (attempt === undefined || attempt.finishedAt === null) return impossible(event, 'no such attempt has ended');
      attempt.lateReport = true;
      return;
    }
    default:
      return unreachable(event);
  }
}

function mapStep(run: Run, event: Extract<RunEvent, { type: 'step-mapped' }>): void {
  const step = findStep(run, event);
  if (step.instances !== null || step.state !== 'none') impossible(event, 'its instances are known already');
  step.instances = Array.from({ length: event.length }, (_, index) => newInstance(index));
  if (event.length > 0) step.counts.set('none', event.length);
}

type AttemptStarted = Extract<RunEvent, { type: 'attempt-started' }>;

function startAttempt(run: Run, step: Step, instance: Instance, event: AttemptStarted): void {
  if (event.attempt !== instance.attempts.length + 1) impossible(event, `${instance.attempts.length} came before it`);
  instance.attempts.push({
    number: event.attempt,
    startedAt: event.at,
    runningAt: null,
    place: null,
    cache: null,
    finishedAt: null,
    outcome: null,
    usage: null,
    lateReport: false,
  });
  run.active.set(instance, step);
  step.active += 1;
  moveTo(step, instance, 'queued');
}

type AttemptFinished = Extract<RunEvent, { type: 'attempt-finished' }>;

function finishAttempt(run: Run, step: Step, instance: Instance, event: AttemptFinished): void {
  const attempt = currentAttempt(instance, event);
  const { outcome } = event;
  attempt.finishedAt = event.at;
  attempt.outcome = outcome;
  attempt.usage = event.usage;
  if (outcome.kind === 'succeeded') {
    instance.output = outcome.output;
    instance.control = outcome.control;
  }
  if (outcome.kind === 'failed') countFailure(instance, outcome.cause);
  run.active.delete(instance);
  step.active -= 1;
  offer(run, step);
}

function countFailure({ failures }: Instance, cause: FailureCause): void {
  const budget = budgetOf(cause);
  if (budget !== 'none') failures[budget] += 1;
}

type WaitEvent = Extract<RunEvent, { type: `wait-${string}` | 'look-failed' }>;

function evolveWait(run: Run, event: WaitEvent): void {
  const { step, instance } = find(run, event);
  if (step.definition.work.kind !== 'wait') impossible(event, 'it waits for nothing');
  demand(event, instance);
  if (event.type === 'wait-begun') return beginWait(step, instance, event);
  if (instance.wait === null) return impossible(event, 'it does not wait');
  if (event.type === 'wait-seen') {
    instance.output = event.output;
    return;
  }
  countFailure(instance, event.cause);
  instance.wait.failure = { cause: event.cause, message: event.message };
}

/** Once more after a look that failed: it waits since it first did. */
function beginWait(step: Step, instance: Instance, event: Extract<RunEvent, { type: 'wait-begun' }>): void {
  instance.wait = { since: instance.wait?.since ?? event.at, endedAt: null, failure: null };
  // Not among what is due: the look at the end of its time ends it, with what it saw.
  instance.dueAt = event.dueAt;
  moveTo(step, instance, 'deferred');
}

type ApprovalEvent = Extract<RunEvent, { type: `approval-${string}` }>;

function evolveApproval(run: Run, event: ApprovalEvent): void {
  const { step, instance } = find(run, { ...event, index: 0 });
  if (step.definition.work.kind !== 'approval') impossible(event, 'it is no approval');
  demand(event, instance);
  if (event.type === 'approval-requested') {
    instance.approval = { requestedAt: event.at, message: event.message, decision: null };
    instance.dueAt = event.dueAt;
    moveTo(step, instance, 'deferred');
    run.due.add({ dueAt: event.dueAt, instance, step });
    return;
  }
  const { approval } = instance;
  if (approval === null || approval.decision !== null) return impossible(event, 'it was decided before');
  const { decision, by, reason, at } = event;
  approval.decision = { decision, by, reason, at };
  if (decision === 'approve') instance.output = { inline: { by, reason, at: new Date(at).toISOString() } };
}

function finishStep(run: Run, event: Extract<RunEvent, { type: 'step-finished' }>): void {
  if (event.index === null) return finishStepAsWhole(run, unbegun(run, event), event.state, event.reason);
  const { step, instance } = find(run, { ...event, index: event.index });
  demand(event, instance);
  if (run.active.has(instance)) impossible(event, 'its attempt has not ended');
  if (instance.wait !== null) instance.wait.endedAt = event.at;
  finishInstance(run, step, instance, event.state, event.reason);
}

function reuseStep(run: Run, event: Extract<RunEvent, { type: 'step-reused' }>): void {
  if (event.index === null) {
    const whole = unbegun(run, event);
    whole.reusedFrom = event.runId;
    return finishStepAsWhole(run, whole, event.state, event.reason);
  }
  const { step, instance } = find(run, { ...event, index: event.index });
  demand(event, instance);
  instance.output = event.output;
  instance.control = event.control;
  instance.reusedFrom = event.runId;
  finishInstance(run, step, instance, event.state, event.reason);
  if (finalStepStates.has(step.state)) step.reusedFrom = event.runId;
}

function unbegun(run: Run, event: { type: string; step: string }): Step {
  const step = findStep(run, event);
  const begun = step.state !== 'none' || (step.definition.map !== null && (step.instances?.length ?? 0) > 0);
  return begun ? impossible(event, 'it has begun') : step;
}

function stop(run: Run, event: RunEvent, stopping: Stopping): void {
  if (run.state !== 'running') impossible(event, `the run is ${run.state}`);
  run.state = 'cancelling';
  run.stopping = stopping;
}

function stopFinally(run: Run, event: RunEvent, stopping: Stopping): void {
  if (run.stopping === null || run.finallyStopping !== null)
    impossible(event, 'its finally-steps are not to be stopped');
  run.finallyStopping = stopping;
}

function currentAttempt(instance: Instance, event: RunEvent & AttemptKey): Attempt {
  const attempt = instance.attempts.at(-1);
  if (attempt === undefined || attempt.number !== event.attempt) return impossible(event, 'another attempt is current');
  if (attempt.finishedAt !== null) return impossible(event, 'the attempt has ended');
  return attempt;
}

function demand(event: RunEvent & { readonly type: keyof typeof possibleIn }, instance: Instance): void {
  const states: readonly StepState[] = possibleIn[event.type];
  if (!states.includes(instance.state)) impossible(event, `it is ${instance.state}`);
}

function find(run: Run, event: { type: string; step: string; index: number }): { step: Step; instance: Instance } {
  const step = findStep(run, event);
  const instance = step.instances?.[event.index];
  if (instance === undefined) return impossible(event, 'there is no such instance');
  return { step, instance };
}

function findStep(run: Run, event: { type: string; step: string }): Step {
  return run.steps.get(event.step) ?? impossible(event, 'there is no such step');
}

function impossible(event: { readonly type: string }, why: string): never {
  throw new Error(`impossible event, ${why}: ${JSON.stringify(event)}`);
}
