/**
 * A step that waits for something that can be looked at without an attempt: a file, an address, an object, another
 * pipeline. No process runs between two looks, no slot is held, and what is not there yet is nobody's event: whoever
 * carries the run out looks every `intervalMs` and reports what decides. The last look is at the very end of its time.
 * A function needs an attempt for each look (`lookAgain` in attempt).
 *
 *   none ─► deferred ─► success (it is there)
 *                 └───► failed, skipped (out of time, or it never can be), cancelled
 */
import type { WaitWork, Work } from '../pipeline/definition.ts';
import { formatDuration } from '../std/duration.ts';
import { unreachable } from '../std/unreachable.ts';
import type { AttemptKey, LookOutcome } from './event.ts';
import type { Instance, Run, Step } from './run.ts';
import { finish, record, stepOf, type Turn } from './turn.ts';

/** Whether looking takes no attempt. */
export function waitsDeferred(work: Work): work is WaitWork {
  return work.kind === 'wait' && work.for.condition !== 'function';
}

export function beginWait(turn: Turn, step: Step, index: number, work: WaitWork): void {
  const { name } = step.definition;
  // What an earlier version began with an attempt keeps its time.
  const since = step.instances?.[index]?.attempts[0]?.startedAt ?? turn.at;
  record(turn, { type: 'wait-begun', at: turn.at, step: name, index, dueAt: since + work.timeoutMs });
}

/** Counts for what waits; whatever comes when it has ended changes nothing. */
export function reportLook(turn: Turn, { step: name, index }: Omit<AttemptKey, 'attempt'>, outcome: LookOutcome): void {
  const step = stepOf(turn.run, { step: name });
  const { work } = step.definition;
  const instance = step.instances?.[index];
  if (work.kind !== 'wait' || instance?.state !== 'deferred') return;
  switch (outcome.kind) {
    case 'seen':
      record(turn, { type: 'wait-seen', at: turn.at, step: name, index, output: outcome.output });
      return finish(turn, step, index, 'success');
    case 'not-yet':
      if (turn.at < (instance.dueAt ?? 0)) return;
      return finish(turn, step, index, work.softFail ? 'skipped' : 'failed', outOfTime(work, outcome.reason));
    case 'impossible':
      return finish(turn, step, index, 'failed', outcome.reason);
    default:
      return unreachable(outcome);
  }
}

export function outOfTime({ timeoutMs }: WaitWork, reason: string): string {
  return `timeout: waited ${formatDuration(timeoutMs)}, and still ${reason}`;
}

/** An instance that is to be looked for. */
export interface AwaitedLook {
  readonly step: Step;
  readonly work: WaitWork;
  readonly instance: Instance;
  readonly since: number;
  /** When its time is over. */
  readonly until: number;
}

/** In the order of the definition. */
export function looksAwaited(run: Run): AwaitedLook[] {
  return [...run.steps.values()].flatMap((step) =>
    waitsDeferred(step.definition.work)
      ? (step.instances ?? []).flatMap((instance) => awaited(step, instance) ?? [])
      : [],
  );
}

/** Null where that instance waits no more, or not yet. */
export function lookAwaited(run: Run, { step: name, index }: Omit<AttemptKey, 'attempt'>): AwaitedLook | null {
  const step = run.steps.get(name);
  const instance = step?.instances?.[index];
  return step === undefined || instance === undefined ? null : awaited(step, instance);
}

function awaited(step: Step, instance: Instance): AwaitedLook | null {
  const { work } = step.definition;
  const { state, wait, dueAt } = instance;
  if (work.kind !== 'wait' || state !== 'deferred' || wait === null || dueAt === null) return null;
  return { step, work, instance, since: wait.since, until: dueAt };
}
