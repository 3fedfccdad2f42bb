/**
 * Attempts on other machines, each carried out by an agent. An agent asks the desk before anything runs, so nothing runs
 * twice; what it says of the end is written down before it is reported, so nothing is lost with a server. A server that goes
 * leaves its agents alone, and the next one finds them.
 */
import { isAbsolute } from 'node:path';
import type { Usage } from '../../engine/event.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { LogStore } from '../../outputs/outputs.ts';
import type { Clock } from '../../std/clock.ts';
import type { AgentResult } from '../agent/contract.ts';
import type { AttemptReport, AttemptSpec, Executor, ExecutorPorts, FoundFile, ReportSink } from '../executor.ts';
import { findFile } from '../local/find-file.ts';
import type { AttemptFiles, FinishedReport, KeptAttempt } from './attempt-files.ts';
import type { Desk } from './desk.ts';
import { openLooks } from './looks.ts';
import { failed, type Began, type Placed, type PlacementEnd, type Placing } from './placing.ts';

export interface RemoteExecutorOptions extends Pick<ExecutorPorts, 'sourceTree'> {
  readonly placing: Placing;
  readonly desk: Desk;
  readonly files: AttemptFiles;
  readonly logs: LogStore;
  readonly clock: Clock;
  readonly slots: number;
  readonly report: ReportSink;
  readonly trouble: (error: unknown, what: string) => void;
}

/** What lies on this machine, no step finds. */
function elsewhere(path: string): FoundFile {
  const impossible = `${path} is a path of a machine, and steps run in pods or on workers, whose files are not seen from here: wait with waitFor.object or waitFor.until`;
  return { impossible };
}

export function createRemoteExecutor(options: RemoteExecutorOptions): Executor {
  const { placing, desk, files, slots } = options;
  const attempts = new Attempts(options);
  const looks = openLooks(placing, (id) => desk.shut(id));
  let isClosed = false;

  return {
    slots,
    runsImages: placing.runsImages,
    async start(spec) {
      if (isClosed) throw new Error('the executor is closed');
      await attempts.start(spec);
    },
    async stop(attemptId, cause, graceMs) {
      placing.get(attemptId)?.stop(cause, graceMs);
    },
    async recover(attemptIds) {
      for (const attemptId of attemptIds) await attempts.takeUp(attemptId);
      placing.knowsAll();
      desk.knowsAll();
    },
    retain: (runIds) => files.retain(runIds),
    release: (runId) => files.release(runId),
    findFile: async (place) => (isAbsolute(place.path) ? elsewhere(place.path) : findFile(place, options)),
    looksAtOnce: looks.atOnceMax,
    async look(spec, signal) {
      if (isClosed) throw new Error('the executor is closed');
      return looks.look(spec, signal);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      attempts.close();
      // In one breath: what an agent says is either taken or refused, and never taken by nobody.
      placing.retire();
      desk.retire();
      await looks.close();
      await placing.leave();
      await desk.close();
    },
  };
}

const unknownAttempt = failed('lost', 'nothing is known of it any more: the files of its server are gone');

/** Of an attempt that has not ended. */
interface Known {
  begun: Began | null;
  uid?: string;
}

class Attempts {
  readonly #options: RemoteExecutorOptions;
  #isClosed = false;

  constructor(options: RemoteExecutorOptions) {
    this.#options = options;
  }

  async start(asked: AttemptSpec): Promise<void> {
    const { files, placing } = this.#options;
    const { attemptId } = asked;
    if (placing.get(attemptId) !== undefined) return;
    if (files.read(attemptId) !== null) return this.takeUp(attemptId);
    const spec = placing.settled(asked);
    files.write(attemptId, { spec, begun: null, finished: null });
    void this.#place({ spec, begun: null, finished: null }).ask();
  }

  /** What an earlier server began, or this one has seen the end of. */
  async takeUp(attemptId: string): Promise<void> {
    const { files, placing, desk, logs, clock, report } = this.#options;
    if (placing.get(attemptId) !== undefined) return;
    const kept = files.read(attemptId);
    if (kept === null)
      return report(finishedReport(attemptId, clock.now(), { kind: 'seen', failed: unknownAttempt, usage: null }));
    const { spec, begun, finished, told } = kept;
    const end = endOf(kept);
    if (finished !== null && (end === null || (await logs.read(attemptId, 1, 0)).closed)) return report(finished);
    this.#place(kept);
    // The server before may have died before anybody heard it.
    if (begun !== null && finished === null) report(runningReport(attemptId, begun));
    if (finished === null && told !== undefined) desk.toldBefore(attemptId, told);
    placing.recover(attemptId, { type: 'attempt', spec }, end, kept.uid ?? null);
  }

  /** Nothing is reported any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** `finished`: as an earlier server has kept it. */
  #place({ spec, begun: began, finished, uid }: KeptAttempt): Placed {
    const { files, placing, report, trouble } = this.#options;
    const { attemptId } = spec;
    const known: Known = { begun: began, ...(uid === undefined ? {} : { uid }) };
    return placing.place(attemptId, { type: 'attempt', spec }, began, {
      keep(now) {
        files.write(attemptId, { spec, ...known, begun: now, finished: null });
        known.begun = now;
      },
      placed(now) {
        if (known.uid === now) return;
        known.uid = now;
        try {
          const kept = files.read(attemptId);
          if (kept?.finished === null) files.write(attemptId, { ...kept, uid: now });
        } catch (error) {
          trouble(error, 'the identity of a pod could not be kept');
        }
      },
      begun: (now) => report(runningReport(attemptId, now)),
      over: (end, logged) => this.#finish(end, finished ?? this.#kept(spec, known, end), logged),
    });
  }

  #kept(spec: AttemptSpec, known: Known, end: PlacementEnd): FinishedReport {
    const { files, clock, trouble } = this.#options;
    const { attemptId } = spec;
    const finished = finishedReport(attemptId, clock.now(), end);
    try {
      files.write(attemptId, { spec, ...known, finished, end: end.kind });
    } catch (error) {
      // It is reported all the same; only a server that dies before the journal has it will not know it.
      trouble(error, 'the end of an attempt could not be kept');
    }
    return finished;
  }

  async #finish(end: PlacementEnd, finished: FinishedReport, logged: () => Promise<boolean>): Promise<void> {
    const { files, placing, desk, logs, report, trouble } = this.#options;
    const { attemptId, outcome } = finished;
    if (!(await logged())) return;
    await desk.shut(attemptId);
    if (outcome.kind === 'succeeded')
      await files.removeCheckpoint(attemptId).catch((error: unknown) => trouble(error, 'a checkpoint is left over'));
    const log = logs.writer(attemptId);
    if (end.kind !== 'told' && outcome.kind === 'failed')
      log.write('contender', `Failed (${outcome.cause}): ${outcome.message}\n`);
    await log.close();
    placing.forget(attemptId);
    if (!this.#isClosed) report(finished);
  }
}

function runningReport(attemptId: string, { at, place }: Began): AttemptReport {
  return { type: 'running', attemptId, at, place };
}

function finishedReport(attemptId: string, at: number, end: PlacementEnd): FinishedReport {
  const base = { type: 'finished', attemptId, at } as const;
  switch (end.kind) {
    case 'told':
      return { ...base, ...attemptResult(end.result, end.usage) };
    case 'seen':
      return { ...base, outcome: end.failed, usage: end.usage };
    case 'stopped': {
      const why =
        end.cause === 'timeout'
          ? 'it was longer than its time limit; nothing of it is left. Raise its `timeout`, or have it do less.'
          : 'it was cancelled; nothing of it is left';
      return { ...base, outcome: failed(end.cause, why), usage: end.usage };
    }
    default:
      return unreachable(end);
  }
}

/** As it was told before; null: it has not ended, or an older server wrote it. */
function endOf({ finished, end }: KeptAttempt): PlacementEnd | null {
  if (finished === null || end === undefined) return null;
  const { outcome, usage } = finished;
  if (end === 'told' || outcome.kind !== 'failed')
    return { kind: 'told', result: { type: 'attempt', outcome, usage }, usage };
  if (end === 'seen') return { kind: 'seen', failed: outcome, usage };
  return { kind: 'stopped', cause: outcome.cause === 'timeout' ? 'timeout' : 'cancelled', usage };
}

function attemptResult(result: AgentResult, seen: Usage | null): Pick<FinishedReport, 'outcome' | 'usage'> {
  if (result.type === 'attempt') return { outcome: result.outcome, usage: result.usage ?? seen };
  return { outcome: failed('output', 'the agent of an attempt answered as one of a look'), usage: null };
}
