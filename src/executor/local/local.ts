/**
 * Attempts as processes of this machine. Commands are started by warm shells, or by the server itself in process groups of
 * their own; functions, gates and challenges run in warm processes of the runner. Three things see to it that nothing outlives
 * its purpose: a stop kills until nothing marked is left, the watchdog does so when the server dies without a word, and
 * `recover` once more when the next server begins.
 */
import { mkdirSync } from 'node:fs';
import type { AttemptOutcome } from '../../engine/event.ts';
import { createMask, type Mask } from '../../outputs/mask.ts';
import type { ArtifactStore, LogStore } from '../../outputs/outputs.ts';
import { formatBytes } from '../../std/bytes.ts';
import type { Clock } from '../../std/clock.ts';
import type { AttemptReport, AttemptSpec, Executor, ExecutorPorts } from '../executor.ts';
import { createAttemptControl, type AttemptControl } from './attempt-control.ts';
import { createAttemptLog, type AttemptLog } from './attempt-log.ts';
import { placeOf, runAttempt } from './attempt.ts';
import type { AttemptEnd, AttemptServices } from './prepared-attempt.ts';
import { openCheckpoints } from './checkpoints.ts';
import { findFile } from './find-file.ts';
import { afterLong } from './long-timer.ts';
import { createLooks, looksLimits } from './looks.ts';
import { openMachine, type Machine } from './machine.ts';
import { attemptMark } from './marks.ts';
import { bootId, endMarked, readProcess } from './processes.ts';
import { openAttemptRecords, type AttemptRecord, type AttemptRecords } from './records.ts';
import type { PulseLimits } from './pulse.ts';
import { createStoredValues } from './stored-values.ts';

export interface LocalExecutorOptions {
  readonly ports: ExecutorPorts;
  readonly artifacts: ArtifactStore;
  readonly logs: LogStore;
  /** State, and scratch where there is no machine; one server at a time. */
  readonly directory: string;
  readonly slots: number;
  /** A folder of that name with the packages that step functions import and their source tree does not have. */
  readonly nodeModules?: string | null;
  /** What else no log or output may show, by a name for it: what a step on this machine could find. */
  readonly hidden?: ReadonlyMap<string, string>;
  readonly clock: Clock;
  /** Shared with others, and closed by whoever opened it. Unless given, one is opened in the directory. */
  readonly machine?: Machine;
  /** Of the machine that is opened. */
  readonly pulse?: PulseLimits;
}

const localExecutorLimits = {
  /** What attempts get to end themselves when the server stops in order. */
  closeGraceMs: 5000,
  /** A process that the kernel does not let go holds a recovery no longer than this. */
  recoverPatienceMs: 60_000,
} as const;

export function createLocalExecutor(options: LocalExecutorOptions): Executor {
  const { ports, artifacts, logs, directory, nodeModules = null, clock } = options;
  mkdirSync(directory, { recursive: true });
  const records = openAttemptRecords(directory);
  const { machine, leave } = machineOf(options);
  const checkpoints = openCheckpoints(directory, machine.folders);
  const stored = createStoredValues(artifacts);
  const maskOf = masksOf(options.hidden ?? new Map());
  const services: AttemptServices = { ...machine, ports, artifacts, logs, nodeModules, checkpoints, stored, maskOf };
  const active = new Map<string, AttemptControl>();
  const working = new Set<Promise<void>>();
  const looks = createLooks(services);
  let closed = false;

  return {
    slots: options.slots,
    async start(spec) {
      const { attemptId } = spec;
      if (closed) throw new Error('the executor is closed');
      if (active.has(attemptId)) return;
      if (!records.begin({ attemptId, boot: bootId(), process: null, finished: null }))
        return recoverAll([attemptId], options, records);
      const control = createAttemptControl();
      active.set(attemptId, control);
      const work = carryOut(spec, control, services, records, clock, () => active.delete(attemptId));
      working.add(work);
      void work.finally(() => working.delete(work));
    },
    async stop(attemptId, cause, graceMs) {
      active.get(attemptId)?.stop(cause, graceMs);
    },
    async recover(attemptIds) {
      const unknown = attemptIds.filter((attemptId) => !active.has(attemptId));
      await recoverAll(unknown, options, records);
    },
    retain: (runIds) => services.checkpoints.retain(runIds),
    release: (runId) => services.checkpoints.release(runId),
    runsImages: false,
    findFile: (place) => findFile(place, options.ports),
    looksAtOnce: looksLimits.atOnceMax,
    look: (spec, signal) => looks.look(spec, signal),
    async close(graceMs = localExecutorLimits.closeGraceMs) {
      if (closed) return;
      closed = true;
      for (const control of active.values()) control.stop('server', graceMs);
      await Promise.all([...working, looks.close(graceMs)]);
      await leave();
      records.close();
    },
  };
}

/** Most steps have no secrets: theirs is made once. */
function masksOf(hidden: ReadonlyMap<string, string>): AttemptServices['maskOf'] {
  const common = createMask(new Map(), hidden);
  return (secrets) => (secrets.size === 0 ? common : createMask(secrets, hidden));
}

function machineOf({ machine, directory, pulse }: LocalExecutorOptions): {
  readonly machine: Machine;
  readonly leave: () => Promise<void>;
} {
  if (machine !== undefined) return { machine, leave: () => machine.sweeper.flush() };
  const own = openMachine({ directory, ...(pulse === undefined ? {} : { pulse }) });
  return { machine: own, leave: () => own.close() };
}

/** From the accepted specification to the report of its end (`ended` comes just before it), and to clean folders. */
async function carryOut(
  spec: AttemptSpec,
  control: AttemptControl,
  services: AttemptServices,
  records: AttemptRecords,
  clock: Clock,
  ended: () => void,
): Promise<void> {
  const { attemptId } = spec;
  const { report } = services.ports;
  const started = performance.now();
  const takeBack = afterLong(spec.timeoutMs, () => control.stop('timeout', spec.graceMs));
  let unwatch = (): void => undefined;
  const openLog = (mask: Mask): AttemptLog => {
    const log = createAttemptLog(services.logs.writer(attemptId), mask);
    const { memoryBytes } = spec.context;
    if (memoryBytes !== null) log.say(`It may take ${formatBytes(memoryBytes)} of memory.`);
    return log;
  };
  const given = { spec, work: spec.work, openLog };
  const { outcome, usage, clean } = await runAttempt(given, services, control, ({ pid, leader }) => {
    unwatch = services.pulse.watch(pid, () => control.stop('stopped', 0));
    records.write({
      attemptId,
      boot: bootId(),
      process: { pid: leader.pid, startedAt: leader.startedAt },
      finished: null,
    });
    report({ type: 'running', attemptId, at: clock.now(), place: placeOf(pid) });
  });
  takeBack();
  unwatch();
  const wallMs = Math.round(performance.now() - started);
  const finished = finishedReport(attemptId, clock.now(), outcomeOf(outcome), {
    cpuMs: null,
    memoryBytesMax: null,
    ...usage,
    wallMs,
  });
  records.write({ attemptId, boot: bootId(), process: null, finished });
  ended();
  report(finished);
  await clean();
}

/** The code of a step runs in the process that says how it ended, and may say anything. */
function outcomeOf(outcome: AttemptEnd['outcome']): AttemptOutcome {
  if (outcome.kind !== 'not-yet') return outcome;
  return { kind: 'failed', cause: 'output', message: 'only a sensor may say "not yet"', exitCode: null };
}

/** Of attempts of an earlier server: their ends, as recorded; or, when nothing of them is left, that they are lost. */
async function recoverAll(
  attemptIds: readonly string[],
  options: LocalExecutorOptions,
  records: AttemptRecords,
): Promise<void> {
  const { ports, logs, clock } = options;
  const found = attemptIds.map((attemptId) => ({ attemptId, record: records.read(attemptId) }));
  const open = found.filter(({ record }) => record === null || record.finished === null);
  const groups = new Set(open.flatMap(({ record }) => groupOf(record)));
  const environment = open.map(({ attemptId }) => attemptMark(attemptId));
  if (open.length > 0) await endMarked({ environment, groups }, localExecutorLimits.recoverPatienceMs);
  for (const { attemptId, record } of found) {
    const isOpen = record === null || record.finished === null;
    const finished = isOpen ? finishedReport(attemptId, clock.now(), lost, null) : record.finished;
    if (isOpen) {
      const writer = logs.writer(attemptId);
      writer.write('contender', 'The server ended while this attempt ran: it is lost, and nothing of it is left.\n');
      await writer.close();
      records.write({ attemptId, boot: bootId(), process: null, finished });
    }
    ports.report(finished);
  }
}

const lost: AttemptOutcome = {
  kind: 'failed',
  cause: 'lost',
  message: 'the server ended while it ran; nothing of it is left',
  exitCode: null,
};

/** The process of the record, where it is still the same one. */
function groupOf(record: AttemptRecord | null): readonly number[] {
  if (record === null || record.process === null || record.boot !== bootId()) return [];
  const { pid, startedAt } = record.process;
  return readProcess(pid)?.startedAt === startedAt ? [pid] : [];
}

function finishedReport(
  attemptId: string,
  at: number,
  outcome: AttemptOutcome,
  usage: Extract<AttemptReport, { type: 'finished' }>['usage'],
): Extract<AttemptReport, { type: 'finished' }> {
  return { type: 'finished', attemptId, at, outcome, usage };
}
