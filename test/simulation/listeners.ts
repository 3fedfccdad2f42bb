/**
 * Who listens to whom, as the writes that were kept tell it.
 *
 *   P10  each end of a run that is listened to, and all news of data, open exactly one run of who listens, or there is a
 *        record of why not
 */
import { firstTriggerOf, type FinalRunState, type RunOpened } from '../../src/engine/event.ts';
import type { DataEventRow, Write } from '../../src/journal/journal.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { unreachable } from '../../src/std/unreachable.ts';
import type { KeptRun, Violated } from './history.ts';

interface KeptEvent {
  readonly runId: string | null;
  readonly dataset: string;
  state: DataEventRow['state'];
}

/** `shop/models` stands at `main`. */
export const defaultBranch = 'main';

export class Listeners {
  readonly events = new Map<string, KeptEvent>();
  /** Number and digest of the last news. */
  readonly datasets = new Map<string, { position: number; digest: string | null }>();
  /** What has been taken, by pipeline and dataset. */
  readonly seen = new Map<string, Map<string, number>>();
  /** By key. */
  readonly #reasons = new Map<string, string>();
  /** By run that ended, and pipeline. */
  readonly #followers = new Map<string, string>();
  /** News that the run which was just opened should take. */
  #untaken: { readonly runId: string; readonly pipeline: string; readonly count: number } | null = null;
  readonly #runs: ReadonlyMap<string, KeptRun>;
  readonly #violated: Violated;

  constructor(runs: ReadonlyMap<string, KeptRun>, violated: Violated) {
    this.#runs = runs;
    this.#violated = violated;
  }

  skipped({ key, reason }: Extract<Write, { write: 'trigger-skipped' }>): void {
    if (!key.startsWith('pipeline:')) return;
    if (reason === '') this.#violated('P10', `${key} has no reason`);
    if (this.#followers.has(key)) this.#violated('P10', `${key} has a run, and a record of why it has none`);
    this.#reasons.set(key, reason);
  }

  opened({ runId, pipeline, sha, logicalDate, trigger }: RunOpened): void {
    if (trigger.kind === 'data') this.#untaken = { runId, pipeline, count: trigger.count };
    if (trigger.kind !== 'pipeline') return;
    const key = `pipeline:${trigger.upstream}:${pipeline}`;
    if (this.#followers.has(key)) this.#violated('P10', `${this.#followers.get(key)} and ${runId} follow ${key}`);
    if (this.#reasons.has(key)) this.#violated('P10', `${key} has a record of why it has no run, and ${runId}`);
    this.#followers.set(key, runId);
    const upstream = this.#runs.get(trigger.upstream);
    const first = upstream === undefined ? undefined : firstTriggerOf(upstream.opened.trigger).kind;
    if (upstream?.state !== trigger.state || upstream.opened.sha !== sha || upstream.opened.logicalDate !== logicalDate)
      this.#violated('P10', `${runId} does not follow ${trigger.upstream}, which is ${String(upstream?.state)}`);
    if (first === 'pull-request' || first === 'backfill') this.#violated('P10', `${runId} follows a ${first}`);
  }

  told({ event: { id, runId, dataset } }: Extract<Write, { write: 'data-event' }>): void {
    if (this.events.has(id)) this.#violated('P10', `${id} was told twice`);
    this.events.set(id, { runId, dataset, state: 'open' });
  }

  decided(write: Extract<Write, { write: 'data-event-decided' }>): void {
    const event = this.events.get(write.id);
    if (event?.state !== 'open') return this.#violated('P10', `${write.id} is decided on twice`);
    const opened = this.#runs.get(event.runId ?? '')?.opened;
    const counts = opened === undefined || standsOnDefault(opened);
    if (counts !== null && counts !== (write.refused === null))
      this.#violated('P10', `${write.id} is refused: ${String(write.refused)}`);
    if (write.refused !== null) return void (event.state = 'refused');
    const { position, digest } = this.datasets.get(event.dataset) ?? { position: 0, digest: null };
    event.state = write.evenIfSame || write.digest === null || write.digest !== digest ? 'news' : 'same';
    if (event.state === 'news') this.datasets.set(event.dataset, { position: position + 1, digest: write.digest });
  }

  listening({ pipeline, add, remove }: Extract<Write, { write: 'data-listening' }>): void {
    const seen = this.seen.get(pipeline) ?? new Map<string, number>();
    this.seen.set(pipeline, seen);
    for (const dataset of remove) seen.delete(dataset);
    for (const dataset of add) if (!seen.has(dataset)) seen.set(dataset, this.datasets.get(dataset)?.position ?? 0);
  }

  taken({ pipeline, taken }: Extract<Write, { write: 'data-taken' }>): void {
    for (const { dataset, seen, position } of taken) {
      if (this.seen.get(pipeline)?.get(dataset) !== seen)
        this.#violated('P10', `${pipeline} takes news of ${dataset} from ${seen}, and had taken others`);
      this.seen.get(pipeline)?.set(dataset, position);
    }
    const count = taken.reduce((sum, { seen, position }) => sum + position - seen, 0);
    if (this.#untaken !== null && (this.#untaken.pipeline !== pipeline || this.#untaken.count !== count))
      this.#violated('P10', `${this.#untaken.runId} is for ${this.#untaken.count} news, and took ${count}`);
    this.#untaken = null;
  }

  /** At the end of a commit. */
  kept(): void {
    if (this.#untaken !== null) this.#violated('P10', `${this.#untaken.runId} took no news`);
    this.#untaken = null;
  }

  /** Why an end that `follower` listens to is still open; null where it has a run, or a good reason. */
  openEnd({ opened, state }: KeptRun, follower: PipelineDefinition): string | null {
    const by = follower.on.pipelines?.find(({ name }) => name === opened.pipeline);
    if (by?.states.includes(state as FinalRunState) !== true) return null;
    const key = `pipeline:${opened.runId}:${follower.name}`;
    if (this.#followers.has(key)) return null;
    const reason = this.#reasons.get(key);
    if (reason === undefined) return `${opened.runId} is ${state}, and ${follower.name} knows nothing of it`;
    if (/has no default|started one another/.test(reason)) return null;
    const must = by.branches.length === 0 && follower.overlap !== 'forbid' && standsOnDefault(opened) === true;
    return must ? `${follower.name} does not follow ${opened.runId}: ${reason}` : null;
  }

  /** Why news that `listener` listens to are still open. */
  openNews({ name, on: { data } }: PipelineDefinition): string | null {
    if (data === undefined) return null;
    const seen = this.seen.get(name);
    if (data.datasets.some((dataset) => seen?.has(dataset) !== true)) return `${name} is not known to listen`;
    const isNew = (dataset: string): boolean => (this.datasets.get(dataset)?.position ?? 0) > (seen?.get(dataset) ?? 0);
    const enough = data.when === 'any' ? data.datasets.some(isNew) : data.datasets.every(isNew);
    return enough ? `${name} has not taken the news of ${data.datasets.join(', ')}` : null;
  }
}

/** Null: it takes Git to tell. */
function standsOnDefault({ trigger }: RunOpened): boolean | null {
  const first = firstTriggerOf(trigger);
  switch (first.kind) {
    case 'push':
    case 'pipeline':
      return first.branch === defaultBranch;
    case 'schedule':
    case 'data':
      return true;
    case 'manual':
      return null;
    case 'pull-request':
    case 'backfill':
      return false;
    default:
      return unreachable(first);
  }
}
