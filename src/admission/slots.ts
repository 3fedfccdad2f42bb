/**
 * The executor's slots: which attempts hold one, and which runs wait for one. A slot is held by an attempt's id, so that
 * freeing it twice is harmless.
 */
export class Slots {
  readonly #max: number;
  readonly #held = new Set<string>();
  readonly #waiting = new Set<string>();
  #reserved = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Asked by the engine for a ready instance of a run; a run that is refused is woken when a slot is free. */
  reserve(runId: string): boolean {
    if (this.#held.size + this.#reserved >= this.#max) {
      this.#waiting.add(runId);
      return false;
    }
    this.#reserved += 1;
    return true;
  }

  /** Ends the reservations of a turn: the attempts that it started hold them now. */
  settle(attemptIds: readonly string[]): void {
    for (const id of attemptIds) this.#held.add(id);
    this.#reserved = 0;
  }

  /** Of an attempt that runs already (after a restart). */
  take(id: string): void {
    this.#held.add(id);
  }

  holds(id: string): boolean {
    return this.#held.has(id);
  }

  /** Of attempts that ended, or whose start was not kept. */
  release(attemptIds: readonly string[]): void {
    for (const id of attemptIds) this.#held.delete(id);
  }

  /** The runs to wake now that a slot is free, the one that waits longest first. */
  takeWaiting(): readonly string[] {
    if (this.#held.size >= this.#max) return [];
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }

  get inUse(): number {
    return this.#held.size;
  }
}
