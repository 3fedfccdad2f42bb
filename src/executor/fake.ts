/**
 * An executor without processes, for tests and simulations: it keeps the contract, does nothing but wait, and refuses
 * what a conductor must not do (more attempts than slots, two looks of one wait, a specification that is no JSON, work
 * after the end). Time and order are the caller's, by `later`, which goes on for attempts that outlive their server; what outlives one is
 * the `FakeWorld`.
 */
import type { AttemptOutcome, LookOutcome, Usage } from '../engine/event.ts';
import type { Clock } from '../std/clock.ts';
import type { AttemptReport, AttemptSpec, Executor, LookSpec, ReportSink } from './executor.ts';

/** What an attempt does when it is started. */
export interface FakeBehaviour {
  /** Null: it runs until it is stopped or told to end. */
  readonly afterMs: number | null;
  readonly outcome: AttemptOutcome;
  /** How long after a warning it ends by itself; null: it ignores the warning until it is killed. */
  readonly heedsWarningAfterMs: number | null;
  readonly usage?: Usage | null;
}

export interface FakeLook {
  /** Null: it looks until it is ended. */
  readonly afterMs: number | null;
  readonly outcome: LookOutcome;
  /** How long after the warning it is gone. */
  readonly heedsWarningAfterMs: number;
}

export interface FakeExecutorOptions {
  readonly slots: number;
  readonly clock: Clock;
  readonly report: ReportSink;
  readonly behaviour: (spec: AttemptSpec) => FakeBehaviour;
  /** Runs `work` in `ms`; at the next opportunity, unless given. */
  readonly later?: (work: () => void, ms: number) => void;
  /** What is at a place; nothing anywhere, unless given. */
  readonly findFile?: Executor['findFile'];
  /** What a function sees; nothing, unless given. */
  readonly look?: (spec: LookSpec) => FakeLook;
  /** Give the same one to the executor of the next server. */
  readonly world?: FakeWorld;
}

/** What stays when a server dies: which attempts were begun, and how they ended; where they outlive it, those that run too. */
export interface FakeWorld {
  /** Attempts go on without their server, as pods do. */
  readonly outlives: boolean;
  readonly running: Map<string, Running>;
  /** Of the servers that are up. */
  readonly reporters: Set<ReportSink>;
  readonly ends: Map<string, Extract<AttemptReport, { type: 'finished' }> | null>;
  /** How often each attempt was really begun; more than once is a fault. */
  readonly begun: Map<string, number>;
}

export interface FakeExecutor extends Executor {
  /** Attempts that run now. */
  running(): readonly string[];
  /** Waits that are looked for now. */
  looking(): readonly string[];
  /** Ends a running attempt with this outcome. */
  finish(attemptId: string, outcome: AttemptOutcome): void;
  /** The server dies without a word: its attempts end, and nothing is reported any more. */
  die(): void;
}

const fakeLooksAtOnce = 4;

const unseen: FakeLook = {
  afterMs: 0,
  outcome: { kind: 'not-yet', reason: 'it is not there' },
  heedsWarningAfterMs: 0,
};

export function createFakeWorld(outlives = false): FakeWorld {
  return { outlives, running: new Map(), reporters: new Set(), ends: new Map(), begun: new Map() };
}

interface Running {
  readonly behaviour: FakeBehaviour;
  readonly startedAt: number;
  stopped: 'cancelled' | 'timeout' | null;
}

const lost: AttemptOutcome = {
  kind: 'failed',
  cause: 'lost',
  message: 'the server ended while it ran; nothing of it is left',
  exitCode: null,
};

const stopped: AttemptOutcome = { ...lost, cause: 'shutdown', message: 'the server was stopped while it ran' };

export function createFakeExecutor(options: FakeExecutorOptions): FakeExecutor {
  const { slots, clock, behaviour, world = createFakeWorld() } = options;
  const later = options.later ?? ((work: () => void) => queueMicrotask(work));
  const { outlives } = world;
  const running = outlives ? world.running : new Map<string, Running>();
  let state: 'open' | 'closed' | 'dead' = 'open';
  const tell = (word: AttemptReport): void => {
    if (state !== 'dead') options.report(word);
  };
  if (outlives) world.reporters.add(tell);
  const looks = createFakeLooks(options.look ?? (() => unseen), later);

  const report = (word: AttemptReport): void => {
    if (outlives) for (const each of world.reporters) each(word);
    else tell(word);
  };
  const end = (attemptId: string, outcome: AttemptOutcome): void => {
    const attempt = running.get(attemptId);
    if (attempt === undefined || (state === 'dead' && !outlives)) return;
    running.delete(attemptId);
    const wallMs = clock.now() - attempt.startedAt;
    const usage = attempt.behaviour.usage ?? { wallMs, cpuMs: null, memoryBytesMax: null };
    const finished = { type: 'finished', attemptId, at: clock.now(), outcome, usage } as const;
    world.ends.set(attemptId, finished);
    report(finished);
  };
  const recoverOne = (attemptId: string): void => {
    if (running.has(attemptId)) return;
    const known = world.ends.get(attemptId);
    const finished = known ?? ({ type: 'finished', attemptId, at: clock.now(), outcome: lost, usage: null } as const);
    world.ends.set(attemptId, finished);
    tell(finished);
  };
  const begin = (spec: AttemptSpec): void => {
    const { attemptId } = spec;
    world.ends.set(attemptId, null);
    world.begun.set(attemptId, (world.begun.get(attemptId) ?? 0) + 1);
    const attempt: Running = { behaviour: behaviour(spec), startedAt: clock.now(), stopped: null };
    running.set(attemptId, attempt);
    later(() => {
      if (!running.has(attemptId)) return;
      report({ type: 'running', attemptId, at: clock.now(), place: 'nowhere' });
      const { afterMs, outcome } = attempt.behaviour;
      if (afterMs !== null) later(() => attempt.stopped === null && end(attemptId, outcome), afterMs);
    }, 0);
  };

  return {
    slots,
    async start(spec) {
      if (state !== 'open') throw new Error('the executor is closed');
      if (running.has(spec.attemptId)) return;
      if (world.ends.has(spec.attemptId)) return recoverOne(spec.attemptId);
      if (running.size >= slots) throw new Error(`all ${slots} slots are taken: the conductor admits no more`);
      begin(plainJson(spec));
    },
    async stop(attemptId, cause, graceMs) {
      const attempt = running.get(attemptId);
      if (attempt === undefined || attempt.stopped !== null) return;
      attempt.stopped = cause;
      const ms = Math.min(graceMs, attempt.behaviour.heedsWarningAfterMs ?? graceMs);
      later(() => end(attemptId, { kind: 'failed', cause, message: `it was ended: ${cause}`, exitCode: null }), ms);
    },
    async recover(attemptIds) {
      for (const attemptId of attemptIds) recoverOne(attemptId);
    },
    retain: () => undefined,
    release: () => undefined,
    findFile: options.findFile ?? (() => Promise.resolve(null)),
    runsImages: true,
    looksAtOnce: fakeLooksAtOnce,
    look: (spec, signal) => looks.look(plainJson(spec), signal),
    async close() {
      looks.close();
      world.reporters.delete(tell);
      if (!outlives) for (const attemptId of running.keys()) end(attemptId, stopped);
      if (state === 'open') state = 'closed';
    },
    running: () => (state === 'open' ? [...running.keys()] : []),
    looking: () => looks.underWay(),
    finish: end,
    die() {
      if (!outlives) running.clear();
      world.reporters.delete(tell);
      looks.die();
      state = 'dead';
    },
  };
}

interface FakeLooks {
  look: Executor['look'];
  underWay(): readonly string[];
  close(): void;
  /** None of them is ever answered. */
  die(): void;
}

function createFakeLooks(
  lookOf: NonNullable<FakeExecutorOptions['look']>,
  later: (work: () => void, ms: number) => void,
): FakeLooks {
  const underWay = new Map<string, (error: Error) => void>();
  let closed = false;
  return {
    async look(spec, signal) {
      const { attemptId, graceMs } = spec;
      if (closed) throw new Error('the executor is closed');
      if (underWay.has(attemptId)) throw new Error(`a look of ${attemptId} is under way`);
      if (underWay.size >= fakeLooksAtOnce) throw new Error(`${fakeLooksAtOnce} looks are under way`);
      const { afterMs, outcome, heedsWarningAfterMs } = lookOf(spec);
      return new Promise((resolve, reject) => {
        const end = (settle: () => void): void => {
          if (underWay.get(attemptId) !== reject) return;
          underWay.delete(attemptId);
          settle();
        };
        const abort = (): void =>
          later(() => end(() => reject(new Error('the look was ended'))), Math.min(graceMs, heedsWarningAfterMs));
        underWay.set(attemptId, reject);
        signal.addEventListener('abort', abort, { once: true });
        if (signal.aborted) abort();
        else if (afterMs !== null) later(() => !signal.aborted && end(() => resolve(outcome)), afterMs);
      });
    },
    underWay: () => [...underWay.keys()],
    close() {
      closed = true;
      const left = [...underWay.values()];
      underWay.clear();
      for (const reject of left) reject(new Error('the look was ended'));
    },
    die() {
      closed = true;
      underWay.clear();
    },
  };
}

/** A specification goes over wires: what JSON cannot carry is a bug of whoever made it. */
function plainJson<Spec extends object>(spec: Spec): Spec {
  const copy: Spec = JSON.parse(JSON.stringify(spec));
  for (const key of Object.keys(spec)) if (!(key in copy)) throw new Error(`the specification is no JSON: ${key}`);
  return copy;
}
