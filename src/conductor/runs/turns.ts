/**
 * The loop of the runs. A turn takes what came in for some runs (reports, requests, the passing of time), lets the engine
 * decide, keeps the events and what follows from them in one commit, and only then carries out: places attempts, stops
 * them. Nothing here is a rule: what follows from what is the engine's.
 *
 *   report, request, timer ─► inbox ─► turn: load ─► decide ─► commit ─► carry out ─► executor
 *                               ▲                                 │
 *                               └── forget, fold again, once more ◄┘ conflict, or no answer of the database
 *
 * Runs that share a turn share a transaction and nothing else: what goes wrong with one is its own.
 */
import { Lanes, Slots, type SlotsInUse } from '../../admission/admission.ts';
import { deadlineAt, decide, nextWakeAt, unfinishedAttempts } from '../../engine/engine.ts';
import type { RunEvent, RunOpened } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import { attemptId, parseAttemptId, type AttemptReport } from '../../executor/executor.ts';
import type { RequestRow } from '../../journal/journal.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { Effects } from './effects.ts';
import { BrokenRun, fold, stepOf } from './fold.ts';
import { OneAtATime } from '../one-at-a-time.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import { isSilence } from '../silence.ts';
import { Trouble } from '../trouble.ts';
import type { Room } from '../room.ts';
import { namedOutputs, withNamedOutputs } from './named-outputs.ts';
import { commandOf, commitOf, requestsOf, startedIn, type Admit, type Message, type Turn } from './turn.ts';
import type { Waits } from '../waits/waits.ts';

/** `ended`: with the end of the run. */
export type RunChanged = (runId: string, ended: boolean) => void;

export class Turns {
  /** Runs are opened one at a time for each pipeline. */
  readonly opening = new OneAtATime();
  /** Looks for what steps wait for. */
  readonly waits: Waits;
  readonly #ports: ConductorPorts;
  /** As far as the journal is; a run that is not here is folded from it. */
  readonly #runs = new Map<string, Run>();
  #lookedAgain = false;
  readonly #inbox = new Map<string, Message[]>();
  /** Ids of the requests in the inbox or in a turn; what the engine could not take stays, so as not to be taken again. */
  readonly #requests = new Set<string>();
  readonly #slots: Slots;
  readonly #lanes = new Lanes();
  readonly #effects: Effects;
  /** By run: what it cannot go on for. */
  readonly #trouble = new Trouble();
  readonly #room: Pick<Room, 'lack'>;
  readonly #changed: RunChanged;

  /** `changed` is told after every commit of a run, for whoever watches it live. */
  constructor(ports: ConductorPorts, room: Pick<Room, 'lack'>, changed: RunChanged) {
    this.#ports = ports;
    this.#room = room;
    this.#slots = new Slots(ports.executor.slots, ports.pools);
    this.#effects = new Effects(
      ports,
      this.#slots,
      (report) => this.report(report),
      (...message) => this.#takeIn(...message),
    );
    this.waits = this.#effects.waits;
    this.#changed = changed;
  }

  start(): void {
    this.#ports.runQueue.start((runIds, join) => this.#turn(runIds, join));
  }

  /**
   * Takes up what an earlier server left: its attempts are found again or proved gone, then every open run gets a turn.
   * Rejects where the journal does not answer: lanes and slots that are half known would let too much in.
   * To be done before `start`, so that nothing is admitted before it is known what runs.
   */
  async recover(): Promise<void> {
    const rows = await this.#ports.journal.unfinishedRuns();
    const left: string[] = [];
    for (const row of rows) {
      try {
        const run = await this.#load(row.id);
        if (run === null) continue;
        for (const started of unfinishedAttempts(run)) {
          const id = attemptId(row.id, started);
          this.#slots.take(id, stepOf(run, started));
          left.push(id);
        }
      } catch (error) {
        // A run that cannot be folded holds up no other; a database that does not answer tells nothing about what runs.
        if (!(error instanceof BrokenRun)) throw error;
        this.#ports.log.error({ run: row.id, error: error.message }, 'a run could not be taken up');
      }
    }
    this.#ports.executor.retain(new Set(rows.map(({ id }) => id)));
    await this.#ports.executor.recover(left);
    for (const row of rows) this.#ports.runQueue.wake(row.id);
  }

  /**
   * What an earlier server had sent to the database may be kept after this one has looked. So every open run is folded
   * again once, when nothing of it can still be on its way; runs that nobody has taken up are looked for ever after.
   */
  async look(): Promise<void> {
    const { journal, clock, runQueue, jobQueue } = this.#ports;
    for (const { id } of await journal.unfinishedRuns()) {
      if (this.#lookedAgain && this.#lanes.has(id)) continue;
      this.#runs.delete(id);
      runQueue.wake(id);
    }
    this.#lookedAgain = true;
    jobQueue.wake('runs', clock.now() + conductorLimits.lookAgainMs);
  }

  /** A run that was just committed as opened, with what it has from an earlier one. */
  enter(opened: RunOpened, reused: readonly RunEvent[], definition: PipelineDefinition): void {
    this.#remember(opened.runId, fold(opened, reused, definition));
    this.#ports.runQueue.wake(opened.runId);
    this.#changed(opened.runId, false);
  }

  report(report: AttemptReport): void {
    const key = parseAttemptId(report.attemptId);
    if (key === null) return;
    // The end of a short step comes a moment after its start: both then share one commit.
    const wakeAt = report.type === 'running' ? this.#ports.clock.now() + conductorLimits.runningDebounceMs : undefined;
    this.#takeIn(key.runId, [{ type: 'report', report }], wakeAt);
  }

  /** False: it has ended, or another server carries it out, or it is not known yet. */
  isUnderWay(runId: string): boolean {
    return this.#lanes.has(runId);
  }

  /** Requests that the journal holds. Those of runs that others carry out are left to them. */
  take(requests: readonly RequestRow[]): void {
    for (const row of requests) {
      if (this.#requests.has(row.id) || !this.#lanes.has(row.runId)) continue;
      this.#requests.add(row.id);
      this.#takeIn(row.runId, [{ type: 'request', row }]);
    }
  }

  /** What could not be started is asked for again. */
  wakeAll(): void {
    for (const runId of this.#lanes.all()) this.#ports.runQueue.wake(runId);
  }

  /** Who holds slots and who waits for them. */
  slotsInUse(): readonly SlotsInUse[] {
    return this.#slots.inUse;
  }

  #takeIn(runId: string, messages: readonly Message[], wakeAt?: number): void {
    this.#inbox.set(runId, [...(this.#inbox.get(runId) ?? []), ...messages]);
    this.#ports.runQueue.wake(runId, wakeAt);
  }

  async #turn(runIds: readonly string[], join: (runId: string) => boolean): Promise<void> {
    const turns: Turn[] = [];
    // Whoever waited for a slot that is free now takes it in the same transaction.
    for (let next = runIds; next.length > 0; next = this.#slots.takeWoken().filter(join)) {
      for (const runId of next) {
        const turn = await this.#prepare(runId);
        if (turn !== null) turns.push(turn);
      }
    }
    // Asked for together, so kept in one transaction; each has an answer of its own.
    await Promise.all(turns.map((turn) => this.#keep(turn)));
    this.#wakeThoseGiven();
  }

  /** Slots that are free are kept for them until they have had a turn. */
  #wakeThoseGiven(): void {
    for (const runId of this.#slots.takeWoken()) this.#ports.runQueue.wake(runId);
  }

  /** Null: the run has nothing to decide now, for a reason that is not its own. */
  async #prepare(runId: string): Promise<Turn | null> {
    try {
      const run = await this.#load(runId);
      if (run !== null) {
        await this.#lookAtOutputs(runId, run);
        return this.#advance(runId, run);
      }
      this.#inbox.delete(runId);
      this.#slots.withdraw(runId);
    } catch (error) {
      this.#tellOnce(runId, error, 'a turn of a run failed; it is folded again');
      this.#runs.delete(runId);
      this.#slots.withdraw(runId);
      this.#ports.runQueue.wake(runId, this.#ports.clock.now() + conductorLimits.turnAgainMs);
    }
    return null;
  }

  /** In place of the messages that tell of them; more may come meanwhile. */
  async #lookAtOutputs(runId: string, run: Run): Promise<void> {
    const messages = this.#inbox.get(runId) ?? [];
    if (!messages.some((message) => message.type === 'report' && namedOutputs(message.report, run).length > 0)) return;
    const looked = await Promise.all(
      messages.map(async (message): Promise<Message> => {
        if (message.type !== 'report') return message;
        return { type: 'report', report: await withNamedOutputs(message.report, run, this.#ports) };
      }),
    );
    const since = this.#inbox.get(runId)?.slice(messages.length) ?? [];
    this.#inbox.set(runId, [...looked, ...since]);
  }

  async #load(runId: string): Promise<Run | null> {
    const known = this.#runs.get(runId);
    if (known !== undefined) {
      // The one that had no turn for the longest time stands first, and is dropped first.
      this.#runs.delete(runId);
      this.#runs.set(runId, known);
      return known;
    }
    const [first, ...rest] = await this.#ports.journal.events(runId);
    if (first?.type !== 'run-opened') return null;
    const run = fold(first, rest, await this.#ports.journal.definition(first.digest));
    if (run.finishedAt === null) this.#remember(runId, run);
    this.#effects.folded(run);
    return run;
  }

  /** Keeps a run in memory, and no more of them than the limit: what is dropped is folded again when it has a turn. */
  #remember(runId: string, run: Run): void {
    this.#runs.set(runId, run);
    this.#lanes.enter(run);
    for (const oldest of this.#runs.keys()) {
      if (this.#runs.size <= conductorLimits.runsFoldedMax) return;
      this.#runs.delete(oldest);
    }
  }

  #advance(runId: string, run: Run): Turn {
    const messages = this.#inbox.get(runId) ?? [];
    this.#inbox.delete(runId);
    const { position: positionBefore, state: stateBefore } = run;
    const at = this.#ports.clock.now();
    const events: RunEvent[] = [];
    const admit: Admit = (step) => this.#room.lack === null && this.#slots.reserve(runId, step);
    let handled = 0;
    try {
      for (const message of messages) {
        // Where nobody else waits for its slot, it goes to what the engine starts next, in the same commit.
        if (message.type === 'report' && message.report.type === 'finished')
          this.#slots.release([message.report.attemptId]);
        events.push(...decide(run, commandOf(message, this.#ports.clock.now(), admit)));
        handled += 1;
      }
      if (this.#lanes.mayProceed(run)) {
        events.push(...decide(run, { type: 'proceed', at, admit }));
      } else events.push(...decide(run, { type: 'watch-deadline', at }));
    } catch (error) {
      this.#slots.settle(runId, []);
      // The message that the engine cannot take would fail again and again: the others come without it.
      const rest = messages.filter((_message, index) => index !== handled);
      this.#inbox.set(runId, [...rest, ...(this.#inbox.get(runId) ?? [])]);
      throw error;
    }
    const started = events.filter((event) => event.type === 'attempt-started');
    this.#slots.settle(
      runId,
      started.map((event) => ({ id: attemptId(runId, event), step: stepOf(run, event) })),
    );
    return { runId, run, messages, at, positionBefore, stateBefore, events };
  }

  async #keep(turn: Turn): Promise<void> {
    const { journal, clock } = this.#ports;
    try {
      const commit = commitOf(turn, this.#ports.notifier.defaults);
      if (commit.length > 0) {
        const [result] = await journal.commit([commit]);
        if (result?.ok !== true) {
          this.#slots.release(startedIn(turn.runId, turn.events));
          return this.#again(turn, clock.now());
        }
      }
    } catch (error) {
      this.#tellOnce(turn.runId, error, 'a turn could not be kept; the run is folded again');
      this.#effects.doubt(turn.runId, startedIn(turn.runId, turn.events));
      return this.#again(turn, clock.now() + conductorLimits.turnAgainMs);
    }
    for (const { id } of requestsOf(turn)) this.#requests.delete(id);
    if (this.#trouble.end(turn.runId)) this.#ports.log.info({ run: turn.runId }, 'the run goes on again');
    this.#carryOut(turn);
    if (turn.events.length > 0) this.#changed(turn.runId, turn.run.finishedAt !== null);
  }

  /** What goes wrong with one run is said once; of a journal that does not answer all of them together. */
  #tellOnce(runId: string, error: unknown, message: string): void {
    if (isSilence(error)) return;
    const { isNews } = this.#trouble.meet(runId, String(error), conductorLimits.turnAgainMs);
    if (isNews) this.#ports.log.error({ run: runId, error: String(error) }, message);
  }

  #carryOut({ run, runId, events }: Turn): void {
    this.#effects.carryOut(run, events);
    if (run.finishedAt !== null) return this.#leave(run);
    // A run that waits for its turn is late all the same; for all else, who leaves the lane wakes it.
    const at = this.#lanes.mayProceed(run) ? nextWakeAt(run) : deadlineAt(run);
    if (at !== null) this.#ports.runQueue.wake(runId, at);
  }

  #leave(run: Run): void {
    this.#runs.delete(run.opened.runId);
    this.waits.runEnded(run);
    this.#ports.executor.release(run.opened.runId);
    this.#slots.withdraw(run.opened.runId);
    for (const next of this.#lanes.leave(run)) this.#ports.runQueue.wake(next);
    this.#ports.jobQueue.wake('outbox');
    this.#ports.jobQueue.wake('events');
    // A backfill may go on: one of its runs has ended, or the run that its own are forbidden beside.
    if (run.opened.trigger.kind === 'backfill' || run.definition.overlap === 'forbid')
      this.#ports.jobQueue.wake('backfills');
  }

  /** Nothing of this turn may have been kept: its messages come again, on a run folded anew. */
  #again(turn: Turn, at: number): void {
    this.#runs.delete(turn.runId);
    this.#inbox.set(turn.runId, [...turn.messages, ...(this.#inbox.get(turn.runId) ?? [])]);
    this.#ports.runQueue.wake(turn.runId, at);
  }
}
