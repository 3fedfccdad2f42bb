/**
 * `maxActiveRuns`: of the runs of a pipeline that have not ended, so many go on and the others wait, the oldest first. A
 * run that has begun is never overtaken: one that is older by its id may turn up later (the answer to its opening was
 * lost, or a clock was set back), and waits then.
 */
import type { Run } from '../engine/run.ts';

interface Entry {
  begun: boolean;
  /** Of its version of the pipeline: a newer run may have another. */
  readonly maxActiveRuns: number;
}

export class Lanes {
  /** By pipeline: the runs in order of time. */
  readonly #lanes = new Map<string, Map<string, Entry>>();

  enter(run: Run): void {
    const key = laneOf(run);
    const lane = this.#lanes.get(key) ?? new Map<string, Entry>();
    if (lane.has(run.opened.runId)) return;
    const newest = [...lane.keys()].at(-1);
    lane.set(run.opened.runId, { begun: run.begunAt !== null, maxActiveRuns: run.definition.maxActiveRuns });
    const inOrder = newest === undefined || newest < run.opened.runId;
    this.#lanes.set(key, inOrder ? lane : new Map([...lane].toSorted(([one], [other]) => (one < other ? -1 : 1))));
  }

  /** Who may, has begun. */
  mayProceed(run: Run): boolean {
    if (run.state === 'cancelling') return true;
    const { runId } = run.opened;
    const lane = this.#lanes.get(laneOf(run));
    const own = lane?.get(runId);
    if (lane === undefined || own === undefined || own.begun) return true;
    own.begun = nextOf(lane, own.maxActiveRuns).includes(runId);
    return own.begun;
  }

  /** Gives the runs whose turn may have come, by the largest limit of those that wait. */
  leave(run: Run): readonly string[] {
    const key = laneOf(run);
    const lane = this.#lanes.get(key);
    lane?.delete(run.opened.runId);
    if (lane === undefined || lane.size === 0) this.#lanes.delete(key);
    if (lane === undefined) return [];
    const limits = [...lane.values()].flatMap(({ begun, maxActiveRuns }) => (begun ? [] : [maxActiveRuns]));
    return nextOf(lane, Math.max(0, ...limits));
  }

  has(runId: string): boolean {
    return [...this.#lanes.values()].some((lane) => lane.has(runId));
  }

  all(): readonly string[] {
    return [...this.#lanes.values()].flatMap((lane) => [...lane.keys()]);
  }

  active(repository: string, pipeline: string): readonly string[] {
    return [...(this.#lanes.get(`${repository}\n${pipeline}`)?.keys() ?? [])];
  }
}

/** The runs that there is room for, the oldest first. */
function nextOf(lane: ReadonlyMap<string, Pick<Entry, 'begun'>>, maxActiveRuns: number): readonly string[] {
  const waiting = [...lane].flatMap(([runId, { begun }]) => (begun ? [] : [runId]));
  const room = maxActiveRuns - (lane.size - waiting.length);
  return waiting.slice(0, Math.max(0, room));
}

function laneOf(run: Run): string {
  return `${run.opened.repository}\n${run.opened.pipeline}`;
}
