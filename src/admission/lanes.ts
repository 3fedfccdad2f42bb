/**
 * `maxActiveRuns`: of the runs of a pipeline that have not ended, so many go on and the others wait, the oldest first. A
 * run that has begun is never overtaken: one that is older by its id may turn up later (the answer to its opening was
 * lost, or a clock was set back), and waits then. Ten thousand that wait are asked about at each turn of theirs, so no
 * answer goes through all of them.
 */
import type { Run } from '../engine/run.ts';

export class Lanes {
  /** By pipeline. */
  readonly #lanes = new Map<string, Lane>();

  enter(run: Run): void {
    const key = laneOf(run);
    const lane = this.#lanes.get(key) ?? new Lane();
    this.#lanes.set(key, lane);
    lane.enter(run.opened.runId, run.definition.maxActiveRuns, run.begunAt !== null);
  }

  /** Who may, has begun. */
  mayProceed(run: Run): boolean {
    return run.state === 'cancelling' || (this.#lanes.get(laneOf(run))?.mayProceed(run.opened.runId) ?? true);
  }

  /** Gives the runs whose turn may have come, by the largest limit of those that wait. */
  leave(run: Run): readonly string[] {
    const key = laneOf(run);
    const lane = this.#lanes.get(key);
    if (lane === undefined) return [];
    const next = lane.leave(run.opened.runId);
    if (lane.isEmpty) this.#lanes.delete(key);
    return next;
  }

  has(runId: string): boolean {
    return [...this.#lanes.values()].some((lane) => lane.has(runId));
  }

  all(): readonly string[] {
    return [...this.#lanes.values()].flatMap((lane) => lane.runIds);
  }

  active(repository: string, pipeline: string): readonly string[] {
    return this.#lanes.get(`${repository}\n${pipeline}`)?.runIds ?? [];
  }
}

/** The runs of one pipeline. */
class Lane {
  /** By id: the limit, which is that of its version of the pipeline. */
  readonly #limits = new Map<string, number>();
  /** Those that have not begun, in order of time. */
  readonly #waiting: string[] = [];
  /** How many of those have which limit. */
  readonly #waitingByLimit = new Map<number, number>();

  get isEmpty(): boolean {
    return this.#limits.size === 0;
  }

  /** In order of time. */
  get runIds(): readonly string[] {
    return [...this.#limits.keys()].toSorted();
  }

  has(runId: string): boolean {
    return this.#limits.has(runId);
  }

  enter(runId: string, limit: number, begun: boolean): void {
    if (this.#limits.has(runId)) return;
    this.#limits.set(runId, limit);
    if (begun) return;
    this.#waiting.splice(this.#placeOf(runId), 0, runId);
    this.#waitingByLimit.set(limit, (this.#waitingByLimit.get(limit) ?? 0) + 1);
  }

  mayProceed(runId: string): boolean {
    const place = this.#placeOf(runId);
    if (this.#waiting[place] !== runId) return true;
    if (place >= this.#roomFor(this.#limits.get(runId) ?? 0)) return false;
    this.#waitNoMore(runId);
    return true;
  }

  leave(runId: string): readonly string[] {
    this.#waitNoMore(runId);
    this.#limits.delete(runId);
    return this.#waiting.slice(0, Math.max(0, this.#roomFor(Math.max(0, ...this.#waitingByLimit.keys()))));
  }

  /** Runs that may begin, where so many may have. */
  #roomFor(limit: number): number {
    return limit - (this.#limits.size - this.#waiting.length);
  }

  #waitNoMore(runId: string): void {
    const place = this.#placeOf(runId);
    if (this.#waiting[place] !== runId) return;
    this.#waiting.splice(place, 1);
    const limit = this.#limits.get(runId) ?? 0;
    const others = (this.#waitingByLimit.get(limit) ?? 0) - 1;
    if (others === 0) this.#waitingByLimit.delete(limit);
    else this.#waitingByLimit.set(limit, others);
  }

  /** Where it waits, or would. */
  #placeOf(runId: string): number {
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#waiting[middle] ?? '') < runId) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function laneOf(run: Run): string {
  return `${run.opened.repository}\n${run.opened.pipeline}`;
}
