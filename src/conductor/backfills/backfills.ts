/**
 * Backfills: one run for each past interval, a few at once, in order. What is true of one stands in the journal; each look
 * does what is to be done now, so it may end at any moment and another server may look as well.
 *
 *   made ─► running: decide on the next interval, as long as fewer than `maxActive` of its runs go on ─► done
 *             └ cancel ─► cancelling: nothing more begins, its runs are told to end ─► cancelled
 */
import type { BackfillProgress, Journal, RequestRow } from '../../journal/journal.ts';
import { skipReason } from './backfill-plan.ts';
import { conductorLimits, type ConductorPorts } from '../ports.ts';
import { requestWrites } from '../requests.ts';
import { isSilence } from '../silence.ts';
import { openRunWhenFree, parseParameters } from '../triggers/triggers.ts';
import type { Turns } from '../runs/turns.ts';

export class Backfills {
  readonly #ports: ConductorPorts;
  readonly #turns: Turns;
  #begun = false;

  constructor(ports: ConductorPorts, turns: Turns) {
    this.#ports = ports;
    this.#turns = turns;
  }

  /** Before it, backfills stand still: a process that is there for one run opens no others. */
  begin(): void {
    this.#begun = true;
    this.#ports.jobQueue.wake('backfills');
  }

  async work(): Promise<void> {
    if (!this.#begun) return;
    const { journal, clock, log, jobQueue } = this.#ports;
    for (const { id } of await journal.openBackfills()) {
      try {
        while (await this.#carryOn(id));
      } catch (error) {
        if (!isSilence(error))
          log.error({ backfill: id, error: String(error) }, 'a backfill could not be carried on; it is tried again');
      }
    }
    jobQueue.wake('backfills', clock.now() + conductorLimits.lookAgainMs);
  }

  /** True where there may be more to do at once. */
  async #carryOn(id: string): Promise<boolean> {
    const { journal, clock } = this.#ports;
    const backfill = await journal.backfill(id);
    if (backfill === null || backfill.finishedAt !== null) return false;
    const { state, active, next, options } = backfill;
    if (next === null && active === 0) {
      const to = state === 'cancelling' ? 'cancelled' : 'done';
      await journal.commit([[{ write: 'backfill-state', id, from: state, to, reason: null, at: clock.now() }]]);
      return false;
    }
    if (state === 'cancelling') await this.#cancelRuns(backfill);
    return next !== null && active < options.maxActive && this.#decide(backfill, next);
  }

  async #decide(backfill: BackfillProgress, next: NonNullable<BackfillProgress['next']>): Promise<boolean> {
    const { journal, clock } = this.#ports;
    const { id, repository, pipeline, sha, digest, options } = backfill;
    const { position, logicalDate, intervalEnd } = next;
    const runs = await journal.runsOfDates(repository, pipeline, { from: logicalDate, to: logicalDate });
    const at = clock.now();
    // Whatever was run for the date since the backfill was made.
    const reason = skipReason(runs, options.reprocess);
    if (reason !== null) {
      await journal.commit([
        [{ write: 'backfill-interval', id, position, decision: 'skipped', reason, runId: null, at }],
      ]);
      return true;
    }
    const definition = await journal.definition(digest);
    const parameters = definition === null ? null : parseParameters(definition.parameters, options.parameters ?? {});
    if (definition === null || parameters?.ok !== true) throw new Error(`the definition ${digest} cannot be run`);
    const opened = await openRunWhenFree(this.#ports, this.#turns, {
      key: `backfill:${repository}:${pipeline}:${new Date(logicalDate).toISOString()}:${id}`,
      repository,
      sha,
      trigger: { kind: 'backfill', backfill: id, actor: options.actor },
      definition,
      digest,
      logicalDate,
      dataIntervalEnd: intervalEnd,
      parameters: parameters.value,
      reused: [],
      alongside: (runId) => ({ write: 'backfill-interval', id, position, decision: 'run', reason: null, runId, at }),
    });
    // Somebody else decided on it, or ended the backfill: the next look sees that.
    return opened !== null && 'runId' in opened && opened.opened;
  }

  async #cancelRuns({ id, reason }: BackfillProgress): Promise<void> {
    const { journal, clock } = this.#ports;
    const intervals = await journal.backfillIntervals(id);
    const cancels = intervals.flatMap(({ runId, runState }): readonly RequestRow[] => {
      if (runId === null || runState !== 'running') return [];
      const request = { type: 'cancel', by: 'contender', reason: reason ?? 'its backfill was cancelled' } as const;
      return [{ id: `${id}/cancels/${runId}`, runId, request, at: clock.now() }];
    });
    if (cancels.length === 0) return;
    await journal.commit([requestWrites(cancels)]);
    this.#turns.take(cancels);
  }
}

/** Kept for whoever carries the backfill on. */
export async function cancelBackfill(
  journal: Journal,
  id: string,
  by: string,
  at: number,
): Promise<'accepted' | 'ended'> {
  const reason = `the backfill was cancelled by ${by}`;
  const [result] = await journal.commit([
    [{ write: 'backfill-state', id, from: 'running', to: 'cancelling', reason, at }],
  ]);
  return result?.ok === true ? 'accepted' : 'ended';
}
