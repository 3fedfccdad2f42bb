/** `maxActiveRuns`: of the runs of a pipeline that have not ended, the oldest may go on and the others wait their turn. */
import type { Run } from '../engine/run.ts';

export class Lanes {
  /** Ids in order of time, by pipeline. */
  readonly #lanes = new Map<string, string[]>();

  enter(run: Run): void {
    const key = laneOf(run);
    const lane = this.#lanes.get(key) ?? [];
    if (lane.includes(run.opened.runId)) return;
    lane.push(run.opened.runId);
    lane.sort();
    this.#lanes.set(key, lane);
  }

  mayProceed(run: Run): boolean {
    if (run.state === 'cancelling') return true;
    const lane = this.#lanes.get(laneOf(run)) ?? [];
    const place = lane.indexOf(run.opened.runId);
    return place < run.definition.maxActiveRuns;
  }

  /** Gives the runs whose turn may have come. */
  leave(run: Run): readonly string[] {
    const key = laneOf(run);
    const lane = (this.#lanes.get(key) ?? []).filter((id) => id !== run.opened.runId);
    if (lane.length === 0) this.#lanes.delete(key);
    else this.#lanes.set(key, lane);
    return lane.slice(0, run.definition.maxActiveRuns);
  }

  active(repository: string, pipeline: string): readonly string[] {
    return this.#lanes.get(`${repository}\n${pipeline}`) ?? [];
  }
}

function laneOf(run: Run): string {
  return `${run.opened.repository}\n${run.opened.pipeline}`;
}
