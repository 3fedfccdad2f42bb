/**
 * Those that wait for a slot of one pool, or of the executor alone. A run stands in a line once, for the first of its
 * instances: ten thousand that wait are one place, and whoever is given a slot stands in line again behind the others.
 */
import { PriorityQueue } from '../engine/priority-queue.ts';

export interface Place {
  readonly runId: string;
  readonly priority: number;
  /** How many of the pool. */
  readonly slots: number;
  /** Rises with each that stands in line. */
  readonly order: number;
}

export class WaitingLine {
  /** Where each run stands now. */
  readonly #places = new Map<string, Place>();
  /** May hold places that were left or exchanged for others; they are dropped when they come first. */
  #queue = new PriorityQueue<Place>(isBefore);

  get size(): number {
    return this.#places.size;
  }

  get(runId: string): Place | undefined {
    return this.#places.get(runId);
  }

  /** In the place of the one that the run had. */
  enter(place: Place): void {
    this.#places.set(place.runId, place);
    this.#queue.add(place);
    if (this.#queue.size <= 2 * this.#places.size + 64) return;
    this.#queue = new PriorityQueue(isBefore);
    for (const kept of this.#places.values()) this.#queue.add(kept);
  }

  leave(runId: string): void {
    this.#places.delete(runId);
  }

  first(): Place | undefined {
    for (;;) {
      const place = this.#queue.first();
      if (place === undefined || this.#places.get(place.runId) === place) return place;
      this.#queue.takeFirst();
    }
  }
}

/** The highest priority, and of equal ones who waits longest. */
export function isBefore(left: Place, right: Place): boolean {
  return left.priority === right.priority ? left.order < right.order : left.priority > right.priority;
}
