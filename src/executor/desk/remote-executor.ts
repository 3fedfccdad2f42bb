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
import type { AttemptReport, AttemptSpec, Executor, ExecutorPorts, ReportSink } from '../executor.ts';
import { findFile } from '../local/find-file.ts';
import type { AttemptFiles, FinishedReport } from './attempt-files.ts';
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

export function createRemoteExecutor(options: RemoteExecutorOptions): Executor {
  const { placing, desk, files, slots } = options;
  const attempts = new Attempts(options);
  const looks = openLooks(placing, (id) => desk.shut(id));
  let isClosed = false;

  return {
    slots,
    async start(spec) {
      if (isClosed) throw new Error('the executor is closed');
      attempts.start(spec);
    },
    async stop(attemptId, cause, graceMs) {
      placing.get(attemptId)?.stop(cause, graceMs);
    },
    async recover(attemptIds) {
      for (const attemptId of attemptIds) attempts.takeUp(attemptId);
      placing.knowsAll();
      desk.knowsAll();
    },
    retain: (runIds) => files.retain(runIds),
    release: (runId) => files.release(runId),
    // What lies elsewhere on this machine, no step finds.
    findFile: async (place) => (isAbsolute(place.path) ? null : findFile(place, options)),
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

class Attempts {
  readonly #options: RemoteExecutorOptions;
  #isClosed = false;

  constructor(options: RemoteExecutorOptions) {
    this.#options = options;
  }

  start(spec: AttemptSpec): void {
    const { files, placing } = this.#options;
    const { attemptId } = spec;
    if (placing.get(attemptId) !== undefined) return;
    if (files.read(attemptId) !== null) return this.takeUp(attemptId);
    files.write(attemptId, { spec, begun: null, finished: null });
    void this.#place(spec, null).ask();
  }

  /** What an earlier server began, or this one has seen the end of. */
  takeUp(attemptId: string): void {
    const { files, placing, clock, report } = this.#options;
    if (placing.get(attemptId) !== undefined) return;
    const kept = files.read(attemptId);
    if (kept === null)
      return report(finishedReport(attemptId, clock.now(), { kind: 'seen', failed: unknownAttempt, usage: null }));
    if (kept.finished !== null) return report(kept.finished);
    this.#place(kept.spec, kept.begun);
    // The server before may have died before anybody heard it.
    if (kept.begun !== null) report(runningReport(attemptId, kept.begun));
    placing.recover(attemptId, { type: 'attempt', spec: kept.spec });
  }

  /** Nothing is reported any more. */
  close(): void {
    this.#isClosed = true;
  }

  #place(spec: AttemptSpec, began: Began | null): Placed {
    const { files, placing, report } = this.#options;
    const { attemptId } = spec;
    return placing.place(attemptId, { type: 'attempt', spec }, began, {
      keep: (now) => files.write(attemptId, { spec, begun: now, finished: null }),
      begun: (now) => report(runningReport(attemptId, now)),
      over: (end, logged) => this.#finish(spec, end, logged),
    });
  }

  async #finish(spec: AttemptSpec, end: PlacementEnd, logged: () => Promise<void>): Promise<void> {
    const { files, placing, desk, logs, clock, report, trouble } = this.#options;
    const { attemptId } = spec;
    const finished = finishedReport(attemptId, clock.now(), end);
    const { outcome } = finished;
    try {
      files.write(attemptId, { spec, begun: null, finished });
    } catch (error) {
      // It is reported all the same; only a server that dies before the journal has it will not know it.
      trouble(error, 'the end of an attempt could not be kept');
    }
    await logged();
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
      const why = end.cause === 'timeout' ? 'it was longer than its time limit' : 'it was cancelled';
      return { ...base, outcome: failed(end.cause, `${why}; nothing of it is left`), usage: end.usage };
    }
    default:
      return unreachable(end);
  }
}

function attemptResult(result: AgentResult, seen: Usage | null): Pick<FinishedReport, 'outcome' | 'usage'> {
  if (result.type === 'attempt') return { outcome: result.outcome, usage: result.usage ?? seen };
  return { outcome: failed('output', 'the agent of an attempt answered as one of a look'), usage: null };
}
