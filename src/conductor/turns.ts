/**
 * The loop of the runs. A turn takes what came in for some runs (reports, cancels, the passing of time), lets the engine
 * decide, keeps the events and what follows from them in one commit, and only then carries out: places attempts, stops
 * them. Nothing here is a rule: what follows from what is the engine's.
 *
 *   report, cancel, timer ─► inbox ─► turn: load ─► decide ─► commit ─► place / stop ─► executor
 *                                               └─ conflict or no database: forget, fold again, once more
 */
import {
  attemptsToStop,
  decide,
  nextWakeAt,
  unfinishedAttempts,
  evolve,
  open,
  type Command,
} from '../engine/engine.ts';
import type { AttemptKey, AttemptOutcome, FailureCause, RunEvent } from '../engine/event.ts';
import type { Run } from '../engine/run.ts';
import { attemptId, parseAttemptId, type AttemptReport } from '../executor/executor.ts';
import type { Commit, RunRow } from '../journal/journal.ts';
import { unreachable } from '../std/unreachable.ts';
import { prepareAttempt } from './attempt-spec.ts';
import { closingWrites } from './closing.ts';
import { Lanes } from './lanes.ts';
import { conductorLimits, type ConductorPorts } from './ports.ts';
import { Slots } from './slots.ts';
import { lookForPipeline } from './waiting.ts';

type Message =
  | { readonly type: 'report'; readonly report: AttemptReport }
  | { readonly type: 'cancel'; readonly by: string; readonly reason: string };

interface Turn {
  readonly runId: string;
  readonly run: Run;
  readonly messages: readonly Message[];
  readonly positionBefore: number;
  readonly events: readonly RunEvent[];
}

export class Turns {
  readonly #ports: ConductorPorts;
  readonly #runs = new Map<string, Run>();
  readonly #inbox = new Map<string, Message[]>();
  readonly #slots: Slots;
  readonly #lanes = new Lanes();
  readonly #stopping = new Set<string>();
  readonly #changed: (runId: string) => void;

  /** `changed` is told after every commit of a run, for whoever watches it live. */
  constructor(ports: ConductorPorts, changed: (runId: string) => void) {
    this.#ports = ports;
    this.#slots = new Slots(ports.executor.slots);
    this.#changed = changed;
  }

  start(): void {
    this.#ports.runQueue.start((runIds) => this.#turn(runIds));
  }

  /** Takes up what an earlier server left: its attempts are found again or proved gone, then every open run gets a turn. */
  async recover(): Promise<void> {
    const rows = await this.#ports.journal.unfinishedRuns();
    const left: string[] = [];
    for (const row of rows) {
      const run = await this.#load(row.id);
      if (run === null) continue;
      this.#lanes.enter(run);
      for (const placed of unfinishedAttempts(run)) {
        const id = attemptId(row.id, placed);
        this.#slots.take(id);
        left.push(id);
      }
    }
    await this.#ports.executor.recover(left);
    for (const row of rows) this.#ports.runQueue.wake(row.id);
  }

  /** A run that was just committed as opened. */
  enter(row: RunRow['opened'], definition: Run['definition']): void {
    const run = open(definition, row);
    this.#runs.set(row.runId, run);
    this.#lanes.enter(run);
    this.#ports.runQueue.wake(row.runId);
    this.#changed(row.runId);
  }

  report(report: AttemptReport): void {
    const key = parseAttemptId(report.attemptId);
    if (key === null) return;
    this.#put(key.runId, { type: 'report', report });
    // The end of a short step comes a moment after its start: both then share one commit.
    const wakeAt = report.type === 'running' ? this.#ports.clock.now() + conductorLimits.runningDebounceMs : undefined;
    this.#ports.runQueue.wake(key.runId, wakeAt);
  }

  cancel(runId: string, by: string, reason: string): void {
    this.#put(runId, { type: 'cancel', by, reason });
    this.#ports.runQueue.wake(runId);
  }

  /** Runs of a pipeline that have not ended, oldest first, as far as they are in memory. */
  activeRuns(repository: string, pipeline: string): readonly string[] {
    return this.#lanes.active(repository, pipeline);
  }

  #put(runId: string, message: Message): void {
    const waiting = this.#inbox.get(runId);
    if (waiting === undefined) this.#inbox.set(runId, [message]);
    else waiting.push(message);
  }

  async #turn(runIds: readonly string[]): Promise<void> {
    const turns: Turn[] = [];
    try {
      for (const runId of runIds) {
        const run = await this.#load(runId);
        if (run !== null) turns.push(this.#advance(runId, run));
      }
      const changed = turns.filter((turn) => turn.events.length > 0);
      const results =
        changed.length === 0 ? [] : await this.#ports.journal.commit(changed.map((turn) => this.#commitOf(turn)));
      changed.forEach((turn, index) => {
        if (results[index]?.ok === true) this.#carryOut(turn);
        else this.#again(turn, this.#ports.clock.now());
      });
      for (const turn of turns) this.#sleep(turn.run);
    } catch (error) {
      this.#ports.log.error({ error: String(error), runs: runIds.length }, 'a turn failed; its runs are folded again');
      const retryAt = this.#ports.clock.now() + 1000;
      for (const turn of turns) this.#again(turn, retryAt);
      for (const runId of runIds) this.#ports.runQueue.wake(runId, retryAt);
    }
  }

  async #load(runId: string): Promise<Run | null> {
    const known = this.#runs.get(runId);
    if (known !== undefined) return known;
    const [first, ...rest] = await this.#ports.journal.events(runId);
    if (first?.type !== 'run-opened') return null;
    const definition = await this.#ports.journal.definition(first.digest);
    if (definition === null) throw new Error(`the definition ${first.digest} of run ${runId} is not in the journal`);
    const run = open(definition, first);
    for (const event of rest) evolve(run, event);
    if (run.finishedAt === null) this.#runs.set(runId, run);
    return run;
  }

  #advance(runId: string, run: Run): Turn {
    const messages = this.#inbox.get(runId) ?? [];
    this.#inbox.delete(runId);
    const positionBefore = run.position;
    const events: RunEvent[] = [];
    for (const message of messages) events.push(...decide(run, this.#commandOf(message, runId)));
    if (this.#lanes.mayProceed(run)) {
      const at = this.#ports.clock.now();
      events.push(...decide(run, { type: 'proceed', at, admit: () => this.#slots.reserve(runId) }));
    }
    this.#slots.settle(events.flatMap((event) => (event.type === 'attempt-started' ? [attemptId(runId, event)] : [])));
    return { runId, run, messages, positionBefore, events };
  }

  #commandOf(message: Message, runId: string): Command {
    switch (message.type) {
      case 'cancel':
        return { type: 'cancel', at: this.#ports.clock.now(), by: message.by, reason: message.reason };
      case 'report': {
        const { report } = message;
        const key = keyOf(report.attemptId);
        if (report.type === 'running') return { type: 'report-running', at: report.at, key, place: report.place };
        // Its slot goes to whatever the engine starts next, in the same commit.
        this.#slots.release([report.attemptId]);
        return {
          type: 'report-finished',
          at: report.at,
          key,
          outcome: report.outcome,
          usage: report.usage,
          admit: () => this.#slots.reserve(runId),
        };
      }
      default:
        return unreachable(message);
    }
  }

  #commitOf(turn: Turn): Commit {
    const { run } = turn;
    return [
      {
        write: 'append',
        runId: turn.runId,
        position: turn.positionBefore,
        events: turn.events,
        state: run.state,
        reason: run.reason,
        finishedAt: run.finishedAt,
      },
      ...closingWrites(run, turn.events),
    ];
  }

  /** After the commit: what the events ask of the world. */
  #carryOut(turn: Turn): void {
    const { run, runId } = turn;
    for (const event of turn.events) {
      if (event.type === 'attempt-started') this.#place(run, event);
      if (event.type === 'attempt-finished' || event.type === 'late-report-ignored')
        this.#stopping.delete(attemptId(runId, event));
    }
    for (const waiting of this.#slots.takeWaiting()) this.#ports.runQueue.wake(waiting);
    for (const placed of attemptsToStop(run)) this.#stop(attemptId(runId, placed), placed.cause, placed.graceMs);
    if (run.finishedAt !== null) {
      this.#runs.delete(runId);
      for (const next of this.#lanes.leave(run)) this.#ports.runQueue.wake(next);
      this.#ports.jobQueue.wake('outbox');
    }
    this.#changed(runId);
  }

  #place(run: Run, key: AttemptKey): void {
    const id = attemptId(run.opened.runId, key);
    this.#begin(run, key, id).catch((error: unknown) => {
      this.#ended(id, failed('start', error instanceof Error ? error.message : String(error)));
    });
  }

  async #begin(run: Run, key: AttemptKey, id: string): Promise<void> {
    const { journal, projects, executor } = this.#ports;
    const looked = await lookForPipeline(journal, run, key);
    if (looked !== null) return this.#ended(id, looked);
    const project = projects.get(run.opened.repository);
    if (project === undefined) {
      return this.#ended(
        id,
        failed('invalid', `the repository ${run.opened.repository} is no longer in the configuration`),
      );
    }
    const prepared = await prepareAttempt(run, key, project.registry);
    if (!prepared.ok) return this.#ended(id, failed(prepared.error.cause, prepared.error.message));
    await executor.start(prepared.value);
  }

  #ended(id: string, outcome: AttemptOutcome): void {
    this.report({ type: 'finished', attemptId: id, at: this.#ports.clock.now(), outcome, usage: null });
  }

  #stop(id: string, cause: 'cancelled' | 'timeout', graceMs: number): void {
    if (this.#stopping.has(id)) return;
    this.#stopping.add(id);
    this.#ports.executor.stop(id, cause, graceMs).catch((error: unknown) => {
      this.#stopping.delete(id);
      this.#ports.log.error({ attempt: id, error: String(error) }, 'an attempt could not be stopped');
    });
  }

  /** Nothing of this turn was kept: its messages come again, on a run folded anew. */
  #again(turn: Turn, at: number): void {
    this.#runs.delete(turn.runId);
    this.#slots.release(
      turn.events.flatMap((event) => (event.type === 'attempt-started' ? [attemptId(turn.runId, event)] : [])),
    );
    const later = this.#inbox.get(turn.runId) ?? [];
    this.#inbox.set(turn.runId, [...turn.messages, ...later]);
    this.#ports.runQueue.wake(turn.runId, at);
  }

  #sleep(run: Run): void {
    const at = run.finishedAt === null ? nextWakeAt(run) : null;
    if (at !== null) this.#ports.runQueue.wake(run.opened.runId, at);
  }
}

function failed(cause: FailureCause, message: string): AttemptOutcome {
  return { kind: 'failed', cause, message, exitCode: null };
}

function keyOf(id: string): AttemptKey {
  const key = parseAttemptId(id);
  if (key === null) throw new Error(`not an attempt's id: ${id}`);
  return key;
}
