/**
 * Removes what is older than the configuration keeps: logs of runs that ended so long ago. It goes by what the journal says
 * of a run, never by what is missing there, and a little in each turn, so that nothing waits for it.
 */
import { journalLimits, type Journal } from '../journal/journal.ts';
import type { Freed, OldLogs, OldLogStore } from '../outputs/outputs.ts';
import type { Clock } from '../std/clock.ts';
import { formatBytes } from '../std/bytes.ts';
import { messageOfError } from '../std/error-message.ts';
import { conductorLimits, type ConductorLog } from './ports.ts';
import { isSilence } from './silence.ts';

export interface RetentionPorts {
  readonly clock: Clock;
  readonly journal: Pick<Journal, 'runsEndedBefore'>;
  readonly oldLogs: OldLogStore;
  /** Null: for good. */
  readonly kept: { readonly logsMs: number | null };
  readonly log: ConductorLog;
}

/** What one part of the work removed, or would remove. */
export interface Removed extends Freed {
  readonly what: 'logs';
}

export class Retention {
  readonly #ports: RetentionPorts;
  #sweep: AsyncGenerator<Removed> | null = null;
  #removed: Freed = { files: 0, bytes: 0 };

  constructor(ports: RetentionPorts) {
    this.#ports = ports;
  }

  /** One turn; gives in how many milliseconds the next is due. */
  async work(): Promise<number> {
    const { log } = this.#ports;
    try {
      this.#sweep ??= this.sweep({ dryRun: false });
      const turn = await this.#sweep.next();
      if (turn.done !== true) {
        this.#removed = sum(this.#removed, turn.value);
        return 0;
      }
    } catch (error) {
      this.#sweep = null;
      if (isSilence(error)) throw error;
      log.error({ error: messageOfError(error) }, 'what is too old could not be removed; it is tried again in an hour');
    }
    const { files, bytes } = this.#removed;
    if (files > 0) log.info({ files, size: formatBytes(bytes) }, 'what was older than `retention` says was removed');
    this.#sweep = null;
    this.#removed = { files: 0, bytes: 0 };
    return conductorLimits.removeOldMs;
  }

  /** All that is too old, in parts. `dryRun`: it stays. */
  async *sweep({ dryRun }: { readonly dryRun: boolean }): AsyncGenerator<Removed> {
    const { logsMs } = this.#ports.kept;
    if (logsMs !== null) yield* this.#sweepLogs(logsMs, dryRun);
  }

  async *#sweepLogs(keptMs: number, dryRun: boolean): AsyncGenerator<Removed> {
    const { clock, oldLogs } = this.#ports;
    const before = clock.now() - keptMs;
    for (const some of chunks(await oldLogs.old(before), conductorLimits.logsPerTurnMax)) {
      const ended = await this.#endedBefore(some, before);
      let freed: Freed = { files: 0, bytes: 0 };
      for (const logs of some) {
        if (!logs.runIds.every((id) => ended.has(id))) continue;
        freed = sum(freed, await (dryRun ? logs.size() : logs.remove()));
      }
      yield { what: 'logs', ...freed };
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

function sum(one: Freed, other: Freed): Freed {
  return { files: one.files + other.files, bytes: one.bytes + other.bytes };
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
