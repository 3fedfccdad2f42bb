/**
 * Removes what is older than the configuration keeps: logs of runs that ended so long ago, and artifacts that are so old and
 * that nobody needs. It goes by what the journal says of a run, never by what is missing there, and a little in each turn, so
 * that nothing waits for it.
 */
import { journalLimits, type Journal } from '../journal/journal.ts';
import type { Freed, OldArtifactStore, OldLogs, OldLogStore } from '../outputs/outputs.ts';
import type { Clock } from '../std/clock.ts';
import { formatBytes } from '../std/bytes.ts';
import { messageOfError } from '../std/error-message.ts';
import { ModelsUnreadable, takeOutNeeded, type NeededPorts } from './needed-artifacts.ts';
import { conductorLimits, type ConductorLog } from './ports.ts';
import { isSilence } from './silence.ts';

export interface RetentionPorts extends NeededPorts {
  readonly clock: Clock;
  readonly journal: NeededPorts['journal'] & Pick<Journal, 'runsEndedBefore' | 'unfinishedRuns'>;
  readonly oldLogs: OldLogStore;
  readonly oldArtifacts: OldArtifactStore;
  /** How long; null: for good. */
  readonly kept: { readonly logsMs: number | null; readonly artifactsMs: number | null };
  readonly log: ConductorLog;
}

/** What one part of the work removed, or would remove. */
export interface Removed extends Freed {
  readonly what: 'logs' | 'artifacts';
}

export interface SweepOptions {
  readonly dryRun: boolean;
  /** False: of logs alone. */
  readonly artifacts?: boolean;
}

export class Retention {
  readonly #ports: RetentionPorts;
  #sweep: AsyncGenerator<Removed> | null = null;
  #removed: Freed = nothing;
  #artifactsDueAt = Number.NEGATIVE_INFINITY;

  constructor(ports: RetentionPorts) {
    this.#ports = ports;
  }

  /** One turn; gives in how many milliseconds the next is due. */
  async work(): Promise<number> {
    const { log, clock } = this.#ports;
    try {
      const artifacts = clock.now() >= this.#artifactsDueAt;
      this.#sweep ??= this.sweep({ dryRun: false, artifacts });
      const turn = await this.#sweep.next();
      if (turn.done !== true) {
        this.#removed = sum(this.#removed, turn.value);
        return 0;
      }
    } catch (error) {
      this.#sweep = null;
      if (isSilence(error)) throw error;
      const what = error instanceof ModelsUnreadable ? 'no artifact is removed' : 'what is too old is not removed';
      log.error({ error: messageOfError(error) }, `${what}; it is tried again in an hour`);
    }
    const { files, bytes } = this.#removed;
    if (files > 0) log.info({ files, size: formatBytes(bytes) }, 'what was older than `retention` says was removed');
    this.#sweep = null;
    this.#removed = nothing;
    return conductorLimits.removeOldMs;
  }

  /** All that is too old, in parts. `dryRun`: it stays. Throws `ModelsUnreadable` before an artifact is removed. */
  async *sweep({ dryRun, artifacts = true }: SweepOptions): AsyncGenerator<Removed> {
    const { logsMs, artifactsMs } = this.#ports.kept;
    if (logsMs !== null) yield* this.#sweepLogs(logsMs, dryRun);
    if (artifactsMs === null || !artifacts) return;
    yield* this.#sweepArtifacts(artifactsMs, dryRun);
    this.#artifactsDueAt = this.#ports.clock.now() + conductorLimits.removeArtifactsMs;
  }

  async *#sweepLogs(keptMs: number, dryRun: boolean): AsyncGenerator<Removed> {
    const { clock, oldLogs } = this.#ports;
    const before = clock.now() - keptMs;
    for (const some of chunks(await oldLogs.old(before), conductorLimits.logsPerTurnMax)) {
      const ended = await this.#endedBefore(some, before);
      let freed = nothing;
      for (const logs of some) {
        if (!logs.runIds.every((id) => ended.has(id))) continue;
        freed = sum(freed, await (dryRun ? logs.size() : logs.remove()));
      }
      yield { what: 'logs', ...freed };
    }
  }

  /** What a run that is open by now made or took up is younger than `before`, and what one takes up later is by then. */
  async *#sweepArtifacts(keptMs: number, dryRun: boolean): AsyncGenerator<Removed> {
    const { clock, journal, oldArtifacts } = this.#ports;
    const since = clock.now() - keptMs;
    const opened = (await journal.unfinishedRuns()).map((run) => run.opened.at - conductorLimits.artifactsBeforeRunMs);
    const before = opened.reduce((earliest, at) => Math.min(earliest, at), since);
    const old = await oldArtifacts.old(before);
    for await (const _ of takeOutNeeded(this.#ports, old, since)) yield { what: 'artifacts', ...nothing };
    for (const some of chunks([...old], conductorLimits.artifactsPerTurnMax)) {
      let freed = nothing;
      for (const [sha256, bytes] of some)
        if (dryRun || (await oldArtifacts.remove(sha256, before))) freed = sum(freed, { files: 1, bytes });
      yield { what: 'artifacts', ...freed };
    }
  }

  /** A run that the journal does not know has not ended. */
  async #endedBefore(some: readonly OldLogs[], before: number): Promise<ReadonlySet<string>> {
    const ended = new Set<string>();
    const ids = [...new Set(some.flatMap(({ runIds }) => runIds))];
    for (const page of chunks(ids, journalLimits.pageMax))
      for (const id of await this.#ports.journal.runsEndedBefore(page, before)) ended.add(id);
    return ended;
  }
}

const nothing: Freed = { files: 0, bytes: 0 };

function sum(one: Freed, other: Freed): Freed {
  return { files: one.files + other.files, bytes: one.bytes + other.bytes };
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
