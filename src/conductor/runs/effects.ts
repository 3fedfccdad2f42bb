/**
 * What a turn that was kept asks of the world: attempts placed and stopped, looks for what steps wait for, jobs woken. All
 * of it may be asked for twice. A commit without an answer may have been kept, so after a run was folded again this looks
 * at what the run is, and not only at what the turn decided. What comes of it is a message for a later turn.
 */
import type { Slots } from '../../admission/admission.ts';
import { unfinishedAttempts } from '../../engine/engine.ts';
import type { AttemptKey, RunEvent } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import { attemptId, type AttemptReport } from '../../executor/executor.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import { Sight } from '../waits/sight.ts';
import { Waits } from '../waits/waits.ts';
import { Attempts } from './attempts.ts';
import { isReported } from './closing.ts';
import { stepOf } from './fold.ts';
import { changesData } from './told.ts';
import { keyOf, type Message } from './turn.ts';

/** Messages for the next turn of a run, which it has at once, or at the latest at `wakeAt`. */
type TakeIn = (runId: string, messages: readonly Message[], wakeAt?: number) => void;

export class Effects {
  /** Looks for what steps wait for. */
  readonly waits: Waits;
  readonly #ports: ConductorPorts;
  readonly #slots: Slots;
  readonly #attempts: Attempts;
  /** Folded from the journal, and not carried out since. */
  readonly #folded = new Set<string>();
  /** By run: attempts whose start may have been kept. They keep their slots until the run is folded again. */
  readonly #unanswered = new Map<string, readonly string[]>();

  constructor(ports: ConductorPorts, slots: Slots, report: (report: AttemptReport) => void, takeIn: TakeIn) {
    this.#ports = ports;
    this.#slots = slots;
    this.#attempts = new Attempts(ports, report, (id, look) => {
      // Kept with the end of the attempt, or with whatever comes before it.
      const wakeAt = ports.clock.now() + conductorLimits.runningDebounceMs;
      takeIn(keyOf(id).runId, [{ type: 'cache', attemptId: id, look }], wakeAt);
    });
    this.waits = new Waits({ ...ports, sight: new Sight(ports) }, (runId, looks) =>
      takeIn(
        runId,
        looks.map((look) => ({ type: 'look', look })),
      ),
    );
  }

  /** The commit that starts these attempts had no answer. */
  doubt(runId: string, attempts: readonly string[]): void {
    this.#unanswered.set(runId, [...(this.#unanswered.get(runId) ?? []), ...attempts]);
  }

  /** The journal tells which of the attempts were started: those are placed after this turn, the others never were. */
  folded(run: Run): void {
    const { runId } = run.opened;
    this.#folded.add(runId);
    const doubtful = this.#unanswered.get(runId);
    if (doubtful === undefined) return;
    const started = new Set(unfinishedAttempts(run).map((each) => attemptId(runId, each)));
    this.#slots.release(doubtful.filter((id) => !started.has(id)));
    this.#unanswered.set(
      runId,
      doubtful.filter((id) => started.has(id)),
    );
  }

  /** After the commit: what the events ask for, and what an earlier turn may have left. */
  carryOut(run: Run, events: readonly RunEvent[]): void {
    const { jobQueue } = this.#ports;
    const { runId } = run.opened;
    for (const event of events) {
      if (event.type === 'attempt-started') this.#attempts.place(run, event);
      if (event.type === 'attempt-finished' || event.type === 'late-report-ignored')
        this.#attempts.ended(attemptId(runId, event));
      if (isReported(run, event)) jobQueue.wake('outbox', event.at + conductorLimits.reportDebounceMs);
      if (changesData(run, event)) jobQueue.wake('events');
    }
    this.#lookFor(run, events);
    if (this.#folded.delete(runId)) this.#placeMissing(run);
    this.#attempts.stopAll(run);
  }

  #lookFor(run: Run, events: readonly RunEvent[]): void {
    const { runId } = run.opened;
    for (const event of events) {
      const isOver = event.type === 'step-finished' || event.type === 'look-failed';
      if (isOver && event.index !== null) this.waits.end(runId, event.step, event.index);
    }
    if (this.#folded.has(runId)) this.waits.takeUp(run);
    else if (events.some((event) => event.type === 'wait-begun')) this.waits.begin(run);
  }

  /**
   * Attempts that the journal has, and that nobody placed. Where the answer to their commit was lost, they are placed
   * now; those of another server are found by the executor, or proved gone.
   */
  #placeMissing(run: Run): void {
    const { runId } = run.opened;
    const unanswered = new Set(this.#unanswered.get(runId));
    this.#unanswered.delete(runId);
    for (const started of unfinishedAttempts(run)) {
      const id = attemptId(runId, started);
      if (unanswered.has(id)) this.#attempts.place(run, started);
      else if (!this.#slots.holds(id)) this.#find(run, started);
    }
  }

  #find(run: Run, key: AttemptKey): void {
    const { executor, log, runQueue, clock } = this.#ports;
    const { runId } = run.opened;
    const id = attemptId(runId, key);
    this.#slots.take(id, stepOf(run, key));
    executor.recover([id]).catch((error: unknown) => {
      log.error({ attempt: id, error: String(error) }, 'an attempt could not be looked for');
      this.#slots.release([id]);
      this.#folded.add(runId);
      runQueue.wake(runId, clock.now() + conductorLimits.turnAgainMs);
    });
  }
}
