/**
 * The conductor's loop without a world round it: what is due happens in the order of time, each run that it concerns is
 * put to the engine, and what the engine starts ends when and as it is pretended. The clock jumps from one thing to the
 * next. At one moment what ends comes before what is due, and that before what is new.
 */
import {
  Lanes,
  poolMistake,
  refusalOf,
  replacementReason,
  replaces,
  Slots,
  type Pools,
  type Refusal,
} from '../admission/admission.ts';
import { attemptsToStop, decide, nextWakeAt, open, type Admit, type Command } from '../engine/engine.ts';
import type { AttemptKey, AttemptOutcome, RunEvent, RunOpened } from '../engine/event.ts';
import { PriorityQueue } from '../engine/priority-queue.ts';
import type { Run } from '../engine/run.ts';
import type { PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../std/problem.ts';
import { success, type Result } from '../std/result.ts';
import { Looks } from './looks.ts';
import { mistake } from './mistake.ts';
import { pretendAttempt, refusedAttempt, stoppedOutcome } from './pretended-attempt.ts';
import { durationOf, pretenceOf, type Pretences } from './pretences.ts';

export const rehearsalLimits = { attemptsMax: 200_000, ticksMax: 1000 } as const;

const ranks = { end: 0, wake: 1, tick: 2 } as const;

interface Happening {
  readonly at: number;
  readonly rank: number;
  /** In which order they were planned. */
  readonly order: number;
  readonly happen: () => void;
}

export interface StageRequest {
  readonly definition: PipelineDefinition;
  readonly pretences: Pretences;
  /** Attempts at once, over all runs. */
  readonly slots: number;
  /** Slots of the pools by their names. */
  readonly pools: Pools;
  /** Told of each run that has ended, when its turn came, and its looks. */
  readonly ended: (run: Run, begunAt: number, looks: Looks) => void;
}

export class Stage {
  readonly #request: StageRequest;
  readonly #due = new PriorityQueue<Happening>(isBefore);
  readonly #runs = new Map<string, Run>();
  readonly #lanes = new Lanes();
  readonly #slots: Slots;
  /** Attempts that run, and whether they were told to stop. */
  readonly #running = new Map<string, 'runs' | 'stops'>();
  /** When each run is woken next. */
  readonly #wakes = new Map<string, number>();
  readonly #looks: Looks;
  /** Runs that have something to decide now. */
  readonly #toTurn: Run[] = [];
  #now: number;
  #planned = 0;
  #attempts = 0;

  constructor(startsAt: number, request: StageRequest) {
    this.#request = request;
    this.#now = startsAt;
    this.#slots = new Slots(request.slots, request.pools);
    this.#looks = new Looks({
      pretences: request.pretences,
      plan: (at, happen) => this.#plan(at, 'end', happen),
      now: () => this.#now,
      report: (run, report) => {
        this.#attempts += 1;
        this.#turn(run, report);
      },
    });
  }

  get now(): number {
    return this.#now;
  }

  /** Has `happen` called at that time. */
  plan(at: number, happen: () => void): void {
    this.#plan(at, 'tick', happen);
  }

  /** Opens a run, which may end those under way; or says why there is none. */
  open(opened: RunOpened): Refusal | null {
    const { definition } = this.#request;
    const active = this.#lanes.active(opened.repository, opened.pipeline);
    const refusal = refusalOf(definition, active);
    if (refusal !== null) return refusal;
    const run = open(definition, opened);
    this.#runs.set(opened.runId, run);
    this.#lanes.enter(run);
    this.#toTurn.push(run);
    for (const runId of active) {
      const earlier = this.#runs.get(runId);
      if (earlier === undefined || !replaces(definition, opened.trigger, earlier.opened.trigger)) continue;
      const reason = replacementReason(opened.trigger, opened.sha);
      this.#turn(earlier, { type: 'cancel', at: this.#now, by: 'contender', reason });
    }
    return null;
  }

  /** Goes on until all runs have ended. */
  play(): Result<null, Problem> {
    this.#turnAll();
    for (let next = this.#due.takeFirst(); next !== undefined; next = this.#due.takeFirst()) {
      this.#now = next.at;
      next.happen();
      this.#turnAll();
      if (this.#attempts > rehearsalLimits.attemptsMax) {
        const message = `what is pretended has more than ${rehearsalLimits.attemptsMax} attempts`;
        return mistake(message, 'Pretend a shorter time, fewer elements, or fewer attempts that fail.');
      }
    }
    const [standing] = this.#runs.keys();
    if (standing !== undefined) throw new Error(`the pretended run ${standing} stands still`);
    return success(null);
  }

  #turnAll(): void {
    for (let run = this.#toTurn.shift(); run !== undefined; run = this.#toTurn.shift()) this.#turn(run);
  }

  /**
   * What is told of a run, then whatever it goes on with, and what both ask of the world. Slots are settled once: who asks
   * again keeps its place in line.
   */
  #turn(run: Run, command: Command | null = null): void {
    if (run.finishedAt !== null) return;
    const events = command === null ? [] : decide(run, command);
    if (this.#lanes.mayProceed(run))
      events.push(...decide(run, { type: 'proceed', at: this.#now, admit: this.#admitOf(run) }));
    this.#carryOut(run, events);
  }

  #admitOf({ opened }: Run): Admit {
    return (step) => this.#slots.reserve(opened.runId, step);
  }

  #carryOut(run: Run, events: readonly RunEvent[]): void {
    const { runId } = run.opened;
    const started = events.filter((event) => event.type === 'attempt-started');
    this.#slots.settle(
      runId,
      started.map((key) => ({ id: attemptId(runId, key), step: stepOf(run, key) })),
    );
    for (const key of started) this.#start(run, key);
    for (const event of events) {
      if (event.type === 'approval-requested') this.#ask(run, event.step);
      if (event.type === 'wait-begun') this.#looks.begin(run, event);
    }
    for (const { cause, ...key } of attemptsToStop(run)) this.#stop(run, key, stoppedOutcome(cause));
    if (run.finishedAt === null) this.#wakeLater(run);
    else this.#leave(run);
    for (const waiting of this.#slots.takeWoken()) this.#wake(waiting);
  }

  #start(run: Run, key: AttemptKey): void {
    const { pretences, pools } = this.#request;
    const step = stepOf(run, key);
    const mistake = poolMistake(pools, step);
    const { outcome, durationMs } = mistake === null ? pretendAttempt(pretences, step, key) : refusedAttempt(mistake);
    const id = attemptId(run.opened.runId, key);
    this.#attempts += 1;
    this.#running.set(id, 'runs');
    this.#plan(this.#now + durationMs, 'end', () => this.#end(run, key, outcome));
  }

  /** A person takes as long to decide as an attempt takes to end. */
  #ask(run: Run, name: string): void {
    const step = run.steps.get(name);
    if (step === undefined) throw new Error(`the pretended run has no step ${name}`);
    const { pretences } = this.#request;
    const pretence = pretenceOf(pretences, step.definition, { step: name, index: 0, attempt: 1 });
    const decision = pretence.kind === 'approval' ? pretence.decision : null;
    if (decision === null) return;
    const request = { type: 'decide', step: name, decision, by: 'simulate', reason: null } as const;
    this.#plan(this.#now + durationOf(pretences, step.definition), 'end', () =>
      this.#turn(run, { ...request, at: this.#now }),
    );
  }

  #stop(run: Run, key: AttemptKey, outcome: AttemptOutcome): void {
    const id = attemptId(run.opened.runId, key);
    if (this.#running.get(id) !== 'runs') return;
    this.#running.set(id, 'stops');
    this.#plan(this.#now, 'end', () => this.#end(run, key, outcome));
  }

  /** The first end of an attempt counts. */
  #end(run: Run, { step, index, attempt }: AttemptKey, outcome: AttemptOutcome): void {
    const key = { step, index, attempt };
    const id = attemptId(run.opened.runId, key);
    if (!this.#running.delete(id)) return;
    this.#slots.release([id]);
    const admit = this.#admitOf(run);
    this.#turn(run, { type: 'report-finished', at: this.#now, key, outcome, usage: null, admit });
  }

  #leave(run: Run): void {
    const { runId } = run.opened;
    this.#runs.delete(runId);
    for (const next of this.#lanes.leave(run)) this.#wake(next);
    this.#request.ended(run, run.begunAt ?? this.#now, this.#looks);
    this.#looks.forget(runId);
  }

  #wakeLater(run: Run): void {
    const { runId } = run.opened;
    const at = this.#lanes.mayProceed(run) ? nextWakeAt(run) : null;
    if (at === null || this.#wakes.get(runId) === at) return;
    this.#wakes.set(runId, at);
    this.#plan(Math.max(at, this.#now), 'wake', () => this.#wake(runId));
  }

  #wake(runId: string): void {
    const run = this.#runs.get(runId);
    if (run !== undefined) this.#toTurn.push(run);
  }

  #plan(at: number, rank: keyof typeof ranks, happen: () => void): void {
    this.#planned += 1;
    this.#due.add({ at, rank: ranks[rank], order: this.#planned, happen });
  }
}

function isBefore(left: Happening, right: Happening): boolean {
  return left.at - right.at < 0 || (left.at === right.at && isPlannedBefore(left, right));
}

function isPlannedBefore(left: Happening, right: Happening): boolean {
  return left.rank === right.rank ? left.order < right.order : left.rank < right.rank;
}

function stepOf(run: Run, key: AttemptKey): StepDefinition {
  const step = run.steps.get(key.step);
  if (step === undefined) throw new Error(`the pretended run has no step ${key.step}`);
  return step.definition;
}

function attemptId(runId: string, { step, index, attempt }: AttemptKey): string {
  return `${runId}/${step}/${index}/${attempt}`;
}
