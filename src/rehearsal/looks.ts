/** The looks of sensors: when each was, and what it is pretended to have seen. */
import { lookAwaited, lookTimeoutMs, type AwaitedLook, type Command } from '../engine/engine.ts';
import type { AttemptOutcome, FailureCause, LookOutcome } from '../engine/event.ts';
import type { Run } from '../engine/run.ts';
import { unreachable } from '../std/unreachable.ts';
import { pretendAttempt } from './pretended-attempt.ts';
import { durationOf, pretenceOf, type Pretences } from './pretences.ts';

export interface PretendedLook {
  readonly number: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly outcome: 'succeeded' | 'not-yet' | FailureCause;
}

export interface LooksRequest {
  readonly pretences: Pretences;
  /** Calls `happen` at that time. */
  readonly plan: (at: number, happen: () => void) => void;
  readonly now: () => number;
  /** Puts it to the engine what a look saw. */
  readonly report: (run: Run, report: Command) => void;
}

export class Looks {
  readonly #request: LooksRequest;
  /** By step and index. */
  readonly #ofRun = new Map<string, Map<string, PretendedLook[]>>();

  constructor(request: LooksRequest) {
    this.#request = request;
  }

  /** Of an instance that begins to wait, or does so again after a look that failed. */
  begin(run: Run, { step, index }: { readonly step: string; readonly index: number }): void {
    const number = this.of(run.opened.runId, step, index).length + 1;
    this.#plan(run, { step, index, number }, this.#request.now());
  }

  /** Those that an instance had. */
  of(runId: string, step: string, index: number): readonly PretendedLook[] {
    return this.#ofRun.get(runId)?.get(idOf(step, index)) ?? [];
  }

  forget(runId: string): void {
    this.#ofRun.delete(runId);
  }

  #plan(run: Run, look: LookKey, startedAt: number): void {
    const awaited = lookAwaited(run, look);
    if (awaited === null) return;
    const { outcome, durationMs } = pretendLook(this.#request.pretences, awaited, look);
    this.#request.plan(startedAt + durationMs, () => this.#end(run, look, startedAt, outcome));
  }

  #end(run: Run, look: LookKey, startedAt: number, outcome: LookOutcome): void {
    const awaited = lookAwaited(run, look);
    if (awaited === null) return;
    const { now, report } = this.#request;
    const { step, index, number } = look;
    const ofRun = this.#ofRun.get(run.opened.runId) ?? new Map<string, PretendedLook[]>();
    const looks = ofRun.get(idOf(step, index)) ?? [];
    looks.push({ number, startedAt, finishedAt: now(), outcome: wordOf(outcome) });
    this.#ofRun.set(run.opened.runId, ofRun.set(idOf(step, index), looks));
    report(run, { type: 'report-look', at: now(), key: { step, index }, outcome });
    // After a look that failed it may have begun to wait anew already.
    if (outcome.kind !== 'not-yet') return;
    const next = now() + awaited.work.intervalMs;
    this.#plan(run, { ...look, number: number + 1 }, Math.min(next, Math.max(awaited.until, now())));
  }
}

interface LookKey {
  readonly step: string;
  readonly index: number;
  readonly number: number;
}

interface Pretended {
  readonly outcome: LookOutcome;
  readonly durationMs: number;
}

/** A function that looks for longer than a look may take fails there. */
function pretendLook(pretences: Pretences, { step, work }: AwaitedLook, { index, number }: LookKey): Pretended {
  const timeoutMs = work.for.condition === 'function' ? lookTimeoutMs(work) : Number.POSITIVE_INFINITY;
  const definition = { ...step.definition, timeoutMs };
  const key = { step: definition.name, index, attempt: number };
  const lookMs = durationOf(pretences, definition);
  if (pretenceOf(pretences, definition, key).kind === 'not-yet' && lookMs <= timeoutMs)
    return { outcome: { kind: 'not-yet', reason: 'pretended: it is not there' }, durationMs: lookMs };
  const { outcome, durationMs } = pretendAttempt(pretences, definition, key);
  return { outcome: outcomeOf(outcome), durationMs };
}

function outcomeOf(outcome: AttemptOutcome): LookOutcome {
  switch (outcome.kind) {
    case 'succeeded':
      return { kind: 'seen', output: outcome.output };
    case 'skipped':
      return { kind: 'impossible', reason: outcome.reason };
    case 'failed':
      return { kind: 'failed', cause: outcome.cause, message: outcome.message };
    default:
      return unreachable(outcome);
  }
}

function wordOf(outcome: LookOutcome): PretendedLook['outcome'] {
  switch (outcome.kind) {
    case 'seen':
      return 'succeeded';
    case 'not-yet':
      return 'not-yet';
    case 'impossible':
    case 'ended-otherwise':
      return 'invalid';
    case 'failed':
      return outcome.cause;
    default:
      return unreachable(outcome);
  }
}

function idOf(step: string, index: number): string {
  return `${step}/${index}`;
}
