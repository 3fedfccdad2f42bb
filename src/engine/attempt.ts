/** Reports about attempts: which of them count, and what follows from how an attempt ended. */
import { formatBytes } from '../std/bytes.ts';
import { unreachable } from '../std/unreachable.ts';
import { retryAfterMs } from './back-off.ts';
import type { AttemptKey, AttemptOutcome, CacheLook, Usage } from './event.ts';
import { memoryReached } from './memory.ts';
import type { Attempt, Instance, Run, Step, Stopping } from './run.ts';
import { finish, planRetry, record, stepOf, type Turn } from './turn.ts';

type Succeeded = Extract<AttemptOutcome, { kind: 'succeeded' }>;
type Failed = Extract<AttemptOutcome, { kind: 'failed' }>;

/** Counts for the current attempt alone, and once. */
export function reportRunning(turn: Turn, key: AttemptKey, place: string): void {
  const { instance, attempt } = find(turn, key);
  const current = attempt.finishedAt === null && attempt.runningAt === null && attempt === instance.attempts.at(-1);
  if (current) record(turn, { type: 'attempt-running', at: turn.at, ...only(key), place });
}

/** Counts for the current attempt alone, and once. */
export function reportCache(turn: Turn, key: AttemptKey, look: CacheLook): void {
  const { instance, attempt } = find(turn, key);
  const current = attempt.finishedAt === null && attempt.cache === null && attempt === instance.attempts.at(-1);
  if (current) record(turn, { type: 'cache-looked-up', at: turn.at, ...only(key), look });
}

/** The first end of an attempt counts. Later ones are recorded once, as what was ignored. */
export function reportFinished(turn: Turn, key: AttemptKey, outcome: AttemptOutcome, usage: Usage | null): void {
  const { step, instance, attempt } = find(turn, key);
  if (attempt.finishedAt !== null) {
    if (!attempt.lateReport) record(turn, { type: 'late-report-ignored', at: turn.at, ...only(key), outcome });
    return;
  }
  record(turn, { type: 'attempt-finished', at: turn.at, ...only(key), outcome, usage });
  switch (outcome.kind) {
    case 'succeeded':
      return conclude(turn, step, instance, outcome);
    case 'skipped':
      return finish(turn, step, instance.index, 'skipped', outcome.reason);
    case 'failed':
      return retryOrFail(turn, step, instance, outcome);
    default:
      return unreachable(outcome);
  }
}

/** The work ended well; a branch, short circuit or gate must also have said how to go on. */
function conclude(turn: Turn, step: Step, instance: Instance, outcome: Succeeded): void {
  const missing = missingControl(step, outcome.control);
  if (missing !== null) return finish(turn, step, instance.index, 'failed', missing);
  const { control } = outcome;
  const closed = step.definition.work.kind === 'gate' && control !== null && 'pass' in control && !control.pass;
  if (closed) return finish(turn, step, instance.index, 'failed', control.reason);
  finish(turn, step, instance.index, 'success');
}

/** What is wrong with the control that a step gave, or null. */
function missingControl(step: Step, control: Succeeded['control']): string | null {
  const { kind } = step.definition.work;
  if (kind === 'short-circuit' || kind === 'gate') {
    return control !== null && 'pass' in control ? null : `the ${kind} did not say whether to go on`;
  }
  if (kind !== 'branch') return null;
  if (control === null || !('follow' in control)) return 'the branch did not say which steps to follow';
  const names = step.downstream.map((next) => next.definition.name);
  const unknown = control.follow.find((name) => !names.includes(name));
  if (unknown === undefined) return null;
  const known = names.length === 0 ? 'none' : names.join(', ');
  return `the branch chose ${JSON.stringify(unknown)}, which is not among the steps directly after it: ${known}`;
}

function retryOrFail(turn: Turn, step: Step, instance: Instance, outcome: Failed): void {
  const stopping = stoppingOf(turn.run, step);
  if (stopping !== null) {
    const stopped = outcome.cause === 'cancelled' || outcome.cause === stopping.cause;
    const reason = stopped ? stoppedBy(stopping, step.runsLast) : outcome.message;
    return finish(turn, step, instance.index, stopped ? 'cancelled' : 'failed', reason);
  }
  const reached = outcome.cause === 'out-of-memory' ? memoryReached(step, instance) : null;
  if (reached !== null) {
    const reason = `${outcome.message}; its memory may not grow beyond ${formatBytes(reached)}`;
    return finish(turn, step, instance.index, 'failed', reason);
  }
  const delayMs = retryAfterMs(turn.run, step, instance, outcome.cause);
  if (delayMs === null) return finish(turn, step, instance.index, 'failed', outcome.message);
  planRetry(turn, step, instance, turn.at + delayMs);
}

/** Why the step is being stopped; null: it is not. The finally-steps of a run that is may go on. */
export function stoppingOf(run: Run, { runsLast }: Pick<Step, 'runsLast'>): Stopping | null {
  return runsLast ? run.finallyStopping : run.stopping;
}

/** Why what was stopped, the run or its finally-steps, did not end by itself. */
export function stoppedBy(stopping: Stopping, runsLast = false): string {
  switch (stopping.cause) {
    case 'cancelled':
      return stopping.reason === '' ? `cancelled by ${stopping.by}` : `cancelled by ${stopping.by}: ${stopping.reason}`;
    case 'timeout':
      return runsLast
        ? 'the finally-steps were longer than their time limit'
        : 'the run was longer than its time limit';
    default:
      return unreachable(stopping);
  }
}

function only(key: AttemptKey): AttemptKey {
  return { step: key.step, index: key.index, attempt: key.attempt };
}

function find(turn: Turn, key: AttemptKey): { step: Step; instance: Instance; attempt: Attempt } {
  const step = stepOf(turn.run, key);
  const instance = step.instances?.[key.index];
  const attempt = instance?.attempts[key.attempt - 1];
  if (instance === undefined || attempt === undefined) {
    throw new Error(`run ${turn.run.opened.runId} never started attempt ${key.attempt} of ${key.step}[${key.index}]`);
  }
  return { step, instance, attempt };
}
