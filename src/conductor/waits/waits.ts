/**
 * Looks for what deferred steps wait for. Who waits for the same thing shares its looks; between two of them there is a
 * line in a table and nothing else, and what is not there yet is told to nobody. Everything here can be thrown away: the
 * journal has which steps wait, and since when.
 *
 *   begin ─► watch ──(due)──► look ──► not yet: due again, an interval later
 *              ▲                └────► seen, impossible, out of time: told to the run's turn
 *              └── the end of a run that is waited for, and who begins to wait, make it due at once
 *
 * Watches that began together are spread over their first interval. Looks of functions are in one lane, as many as the
 * executor makes; all others in one for each repository and kind, each with a limit, so that neither a server nor a Git
 * which does not answer holds up anybody who waits for something else. There is one look at one thing at a time: one that
 * nobody waits for any more is ended, and who waits anew for the same thing looks when it is over.
 */
import { lookAwaited, looksAwaited, type AwaitedLook } from '../../engine/engine.ts';
import { isSilence } from '../silence.ts';
import { fractionOf } from '../../engine/back-off.ts';
import type { LookOutcome } from '../../engine/event.ts';
import { PriorityQueue } from '../../engine/priority-queue.ts';
import type { Run } from '../../engine/run.ts';
import type { Executor } from '../../executor/executor.ts';
import { awaitedBy, type Awaited, type Seen } from './awaited.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import type { Sight } from './sight.ts';

/** What a look came to, for one instance. */
export interface Look {
  readonly step: string;
  readonly index: number;
  readonly outcome: LookOutcome;
}

/** How it stands with an instance that waits. */
export interface Waiting {
  readonly index: number;
  /** It stands after "waits for". */
  readonly what: string;
  /** Since this server looks. */
  readonly looks: number;
  readonly lastAt: number | null;
  /** What the last look saw instead. */
  readonly reason: string | null;
  /** When its time is over. */
  readonly until: number;
}

interface Waiter extends Waiting {
  readonly runId: string;
  readonly step: string;
  readonly intervalMs: number;
  readonly judge: Awaited['judge'];
  readonly watch: Watch;
  looks: number;
  lastAt: number | null;
  reason: string | null;
  /** The run knows the end of it: no more looks are needed. */
  told: boolean;
}

interface Watch {
  readonly key: string;
  readonly subject: Awaited['subject'];
  readonly lane: Lane;
  readonly waiters: Set<Waiter>;
  dueAt: number;
  /** Asked for while a look was under way, which may have seen how it was before. */
  again: boolean;
  hasLooked: boolean;
  /** The last look could not be made at all. */
  inVain: boolean;
}

/** May hold entries of watches that are due at another time, or gone. */
interface Lane {
  readonly due: PriorityQueue<{ readonly at: number; readonly watch: Watch }>;
  readonly atOnceMax: number;
  underWay: number;
}

export interface WaitsPorts extends Pick<ConductorPorts, 'clock' | 'jobQueue' | 'log'> {
  readonly sight: Pick<Sight, 'look'>;
  readonly executor: Pick<Executor, 'looksAtOnce'>;
}

type Tell = (runId: string, looks: readonly Look[]) => void;

export class Waits {
  readonly #ports: WaitsPorts;
  readonly #tell: Tell;
  readonly #watches = new Map<string, Watch>();
  /** By run, then by step and index. */
  readonly #runs = new Map<string, Map<string, Waiter>>();
  /** What is just being looked at, by its key. */
  readonly #looking = new Map<string, AbortController>();
  readonly #functions: Lane;
  /** By repository and kind. */
  readonly #others = new Map<string, Lane>();

  constructor(ports: WaitsPorts, tell: Tell) {
    this.#ports = ports;
    this.#tell = tell;
    this.#functions = laneOf(ports.executor.looksAtOnce);
  }

  /** Those of a run that wait and are not looked for yet. */
  begin(run: Run): void {
    const { runId } = run.opened;
    const known = this.#runs.get(runId) ?? new Map<string, Waiter>();
    const impossible: Look[] = [];
    for (const look of looksAwaited(run)) {
      const { step, instance } = look;
      const id = idOf(step.definition.name, instance.index);
      if (known.has(id)) continue;
      const awaited = awaitedBy(run, look);
      if (awaited.ok) known.set(id, this.#enter(run, look, awaited.value));
      else {
        const outcome: LookOutcome = { kind: 'impossible', reason: awaited.error };
        impossible.push({ step: step.definition.name, index: instance.index, outcome });
      }
    }
    if (known.size > 0) this.#runs.set(runId, known);
    if (impossible.length > 0) this.#tell(runId, impossible);
    this.#wakeNext();
  }

  /** The run was folded again: what it was told may not have been kept, and what was kept it may not have been told. */
  takeUp(run: Run): void {
    const { runId } = run.opened;
    for (const waiter of this.#runs.get(runId)?.values() ?? []) {
      if (lookAwaited(run, waiter) === null) this.end(runId, waiter.step, waiter.index);
      else if (waiter.told) {
        waiter.told = false;
        this.#plan(waiter.watch, this.#ports.clock.now());
      }
    }
    this.begin(run);
  }

  /** The step has ended, or is looked for no more for now. */
  end(runId: string, step: string, index: number): void {
    const waiters = this.#runs.get(runId);
    const waiter = waiters?.get(idOf(step, index));
    if (waiters === undefined || waiter === undefined) return;
    waiters.delete(idOf(step, index));
    if (waiters.size === 0) this.#runs.delete(runId);
    this.#leave(waiter);
  }

  /** A run that has ended waits no more, and who waits for it looks at once. */
  runEnded({ opened }: Run): void {
    const { runId, repository, pipeline, logicalDate } = opened;
    for (const waiter of this.#runs.get(runId)?.values() ?? []) this.#leave(waiter);
    this.#runs.delete(runId);
    for (const watch of this.#watches.values()) {
      const { subject } = watch;
      if (subject.kind !== 'runs' || subject.pipeline !== pipeline || subject.repository !== repository) continue;
      if (subject.from <= logicalDate && logicalDate <= subject.to) this.#plan(watch, this.#ports.clock.now());
    }
    this.#wakeNext();
  }

  /** Nothing is looked for any more. */
  stop(): void {
    for (const waiters of this.#runs.values()) for (const waiter of waiters.values()) this.#leave(waiter);
    this.#runs.clear();
  }

  /** How it stands with the instances of a step that wait, the lowest first. */
  of(runId: string, step: string): readonly Waiting[] {
    const waiters = [...(this.#runs.get(runId)?.values() ?? [])];
    return waiters.filter((waiter) => waiter.step === step).toSorted((one, other) => one.index - other.index);
  }

  /** Makes the looks that are due; they end by themselves. */
  work(): Promise<void> {
    for (const lane of this.#lanes()) this.#lookDue(lane);
    this.#wakeNext();
    return Promise.resolve();
  }

  #enter(run: Run, { step, instance, work, until }: AwaitedLook, awaited: Awaited): Waiter {
    const { key, subject, what, judge } = awaited;
    const watch = this.#watches.get(key) ?? newWatch(key, subject, this.#laneFor(run, subject));
    this.#watches.set(key, watch);
    const { name } = step.definition;
    const { intervalMs } = work;
    const place = { runId: run.opened.runId, step: name, index: instance.index, intervalMs, until, what, judge, watch };
    const waiter: Waiter = { ...place, looks: 0, lastAt: null, reason: null, told: false };
    watch.waiters.add(waiter);
    this.#plan(watch, this.#ports.clock.now());
    return waiter;
  }

  #lanes(): readonly Lane[] {
    return [this.#functions, ...this.#others.values()];
  }

  #laneFor({ opened }: Run, { kind }: Awaited['subject']): Lane {
    if (kind === 'function') return this.#functions;
    const key = `${kind} ${opened.repository}`;
    const { looksInsideMax, looksOutsideMax } = conductorLimits;
    const lane = this.#others.get(key) ?? laneOf(kind === 'runs' ? looksInsideMax : looksOutsideMax);
    this.#others.set(key, lane);
    return lane;
  }

  #leave(waiter: Waiter): void {
    const { watch } = waiter;
    watch.waiters.delete(waiter);
    if (watch.waiters.size > 0) return;
    this.#watches.delete(watch.key);
    this.#looking.get(watch.key)?.abort();
  }

  /** The earliest of the times that were asked for. */
  #plan(watch: Watch, at: number): void {
    if (at >= watch.dueAt) return;
    watch.dueAt = at;
    watch.lane.due.add({ at, watch });
  }

  #lookDue(lane: Lane): void {
    const now = this.#ports.clock.now();
    while (lane.underWay < lane.atOnceMax) {
      const watch = this.#firstOf(lane);
      if (watch === null || watch.dueAt > now) return;
      lane.due.takeFirst();
      watch.dueAt = Number.POSITIVE_INFINITY;
      if (this.#looking.has(watch.key)) watch.again = true;
      else this.#look(watch);
    }
  }

  #firstOf(lane: Lane): Watch | null {
    for (let first = lane.due.first(); first !== undefined; first = lane.due.first()) {
      const { watch, at } = first;
      if (this.#watches.get(watch.key) === watch && watch.dueAt === at) return watch;
      lane.due.takeFirst();
    }
    return null;
  }

  #look(watch: Watch): void {
    const { key, subject, lane } = watch;
    const abort = new AbortController();
    const [first] = watch.waiters;
    this.#looking.set(key, abort);
    lane.underWay += 1;
    void this.#ports.sight
      .look(subject, (first?.looks ?? 0) + 1, abort.signal)
      .then((seen) => this.#answer(watch, seen))
      .catch((error: unknown) => this.#lookedInVain(watch, error))
      .finally(() => {
        this.#looking.delete(key);
        lane.underWay -= 1;
        this.#lookAgain(key);
        this.#wakeNext();
      });
  }

  /** Who began to wait meanwhile may be another. */
  #lookAgain(key: string): void {
    const watch = this.#watches.get(key);
    if (watch?.again !== true) return;
    watch.again = false;
    this.#plan(watch, this.#ports.clock.now());
  }

  #answer(watch: Watch, seen: Seen): void {
    const now = this.#ports.clock.now();
    const told = new Map<string, Look[]>();
    watch.inVain = false;
    for (const waiter of watch.waiters) {
      if (waiter.told) continue;
      waiter.looks += 1;
      waiter.lastAt = now;
      const outcome = waiter.judge(seen);
      const isOver = outcome.kind !== 'not-yet';
      if (outcome.kind === 'not-yet') waiter.reason = outcome.reason;
      waiter.told = isOver;
      if (!isOver && now < waiter.until) continue;
      const { runId, step, index } = waiter;
      const looks = told.get(runId) ?? [];
      looks.push({ step, index, outcome });
      told.set(runId, looks);
    }
    this.#planNext(watch, now);
    for (const [runId, looks] of told) this.#tell(runId, looks);
  }

  #planNext(watch: Watch, now: number): void {
    let at = Number.POSITIVE_INFINITY;
    for (const { told, intervalMs, until } of watch.waiters) {
      if (told) continue;
      const next = together(now + (watch.hasLooked ? intervalMs : spread(intervalMs, watch.key)), intervalMs);
      // The last look is at the very end; one whose end was not taken in is looked for as before.
      at = Math.min(at, until > now ? Math.min(next, until) : next);
    }
    watch.hasLooked = true;
    if (at < Number.POSITIVE_INFINITY) this.#plan(watch, at);
  }

  /** Nothing is known, so nothing is told, not even to those whose time is over. */
  #lookedInVain(watch: Watch, error: unknown): void {
    if (watch.waiters.size === 0) return;
    if (!watch.inVain && !isSilence(error)) {
      this.#ports.log.warn({ wait: watch.key, error: String(error) }, 'a look could not be made');
      watch.inVain = true;
    }
    this.#plan(watch, this.#ports.clock.now() + conductorLimits.lookInVainMs);
  }

  #wakeNext(): void {
    const { jobQueue, clock } = this.#ports;
    const now = clock.now();
    for (const lane of this.#lanes()) {
      const first = lane.underWay < lane.atOnceMax ? this.#firstOf(lane) : null;
      if (first === null) continue;
      jobQueue.wake('waits', first.dueAt <= now ? undefined : first.dueAt);
    }
  }
}

function laneOf(atOnceMax: number): Lane {
  return { due: new PriorityQueue((left, right) => left.at < right.at), atOnceMax, underWay: 0 };
}

function newWatch(key: string, subject: Awaited['subject'], lane: Lane): Watch {
  return {
    key,
    subject,
    lane,
    waiters: new Set(),
    dueAt: Number.POSITIVE_INFINITY,
    again: false,
    hasLooked: false,
    inVain: false,
  };
}

/** From half of the interval to all of it, so that those who began together look apart. */
function spread(intervalMs: number, key: string): number {
  return Math.round(intervalMs * (1 - fractionOf(key) / 2));
}

/** Looks that are due close to each other, as far as their interval allows, are made at the same moment. */
function together(at: number, intervalMs: number): number {
  const grain = Math.max(1, Math.min(conductorLimits.looksTogetherMs, Math.floor(intervalMs / 10)));
  return Math.ceil(at / grain) * grain;
}

function idOf(step: string, index: number): string {
  return `${step}/${index}`;
}
