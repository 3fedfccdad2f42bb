/** The looks of the steps that need no attempt to look: when each was, and what it is pretended to have seen. */
import { decide, lookAwaited, type AwaitedLook } from '../engine/engine.ts';
import type { LookOutcome, RunEvent } from '../engine/event.ts';
import type { Run } from '../engine/run.ts';
import { pretendAttempt } from './pretended-attempt.ts';
import { durationOf, pretenceOf, type Pretences } from './pretences.ts';

export interface PretendedLook {
  readonly number: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly outcome: 'succeeded' | 'not-yet' | 'invalid';
}

export interface LooksRequest {
  readonly pretences: Pretences;
  /** Calls `happen` at that time. */
  readonly plan: (at: number, happen: () => void) => void;
  readonly now: () => number;
  /** What follows from a look. */
  readonly follow: (run: Run, events: readonly RunEvent[]) => void;
}

export class Looks {
  readonly #request: LooksRequest;
  /** By step and index. */
  readonly #ofRun = new Map<string, Map<string, PretendedLook[]>>();

  constructor(request: LooksRequest) {
    this.#request = request;
  }

  /** Of an instance that begins to wait. */
  begin(run: Run, { step, index }: { readonly step: string; readonly index: number }): void {
    this.#plan(run, { step, index, number: 1 }, this.#request.now());
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
    const durationMs = durationOf(this.#request.pretences, awaited.step.definition);
    this.#request.plan(startedAt + durationMs, () => this.#end(run, look, startedAt));
  }

  #end(run: Run, look: LookKey, startedAt: number): void {
    const awaited = lookAwaited(run, look);
    if (awaited === null) return;
    const { pretences, now, follow } = this.#request;
    const { step, index, number } = look;
    const outcome = outcomeOf(pretences, awaited, look);
    const ofRun = this.#ofRun.get(run.opened.runId) ?? new Map<string, PretendedLook[]>();
    const looks = ofRun.get(idOf(step, index)) ?? [];
    const kept = outcome.kind === 'seen' ? 'succeeded' : outcome.kind === 'not-yet' ? 'not-yet' : 'invalid';
    looks.push({ number, startedAt, finishedAt: now(), outcome: kept });
    this.#ofRun.set(run.opened.runId, ofRun.set(idOf(step, index), looks));
    follow(run, decide(run, { type: 'report-look', at: now(), key: { step, index }, outcome }));
    const next = now() + awaited.work.intervalMs;
    this.#plan(run, { ...look, number: number + 1 }, Math.min(next, Math.max(awaited.until, now())));
  }
}

interface LookKey {
  readonly step: string;
  readonly index: number;
  readonly number: number;
}

function outcomeOf(pretences: Pretences, { step }: AwaitedLook, { index, number }: LookKey): LookOutcome {
  const key = { step: step.definition.name, index, attempt: number };
  const { kind } = pretenceOf(pretences, step.definition, key);
  if (kind === 'not-yet') return { kind: 'not-yet', reason: 'pretended: it is not there' };
  const { outcome } = pretendAttempt(pretences, step.definition, key);
  if (outcome.kind === 'succeeded') return { kind: 'seen', output: outcome.output };
  return { kind: 'impossible', reason: outcome.kind === 'failed' ? outcome.message : outcome.reason };
}

function idOf(step: string, index: number): string {
  return `${step}/${index}`;
}
