/**
 * Who may conduct, by what was kept: the lease is taken when it is free, and nothing is kept under an epoch that is over.
 * As the history, it judges neither by the database's constraints nor by the code that is tested.
 */
import type { Violated } from './history.ts';

export class Office {
  readonly #violated: Violated;
  readonly #now: () => number;
  /** Where the store is held by one process, it is taken whatever its row says. */
  readonly #alone: boolean;
  #epoch = 0;
  #expiresAt = 0;

  constructor(given: { readonly violated: Violated; readonly now: () => number; readonly alone: boolean }) {
    this.#violated = given.violated;
    this.#now = given.now;
    this.#alone = given.alone;
  }

  /** The newest there is. */
  get epoch(): number {
    return this.#epoch;
  }

  taken(epoch: number, lastsMs: number): void {
    if (!this.#alone && this.#now() < this.#expiresAt)
      this.#violated('lease', `epoch ${epoch} began while ${this.#epoch} had not expired`);
    if (epoch <= this.#epoch) this.#violated('lease', `epoch ${epoch} began after ${this.#epoch}`);
    this.#epoch = epoch;
    this.#expiresAt = this.#now() + lastsMs;
  }

  renewed(epoch: number, lastsMs: number): void {
    if (epoch !== this.#epoch) this.#violated('lease', `epoch ${epoch} was renewed after ${this.#epoch} had begun`);
    this.#expiresAt = this.#now() + lastsMs;
  }

  released(epoch: number): void {
    if (epoch === this.#epoch) this.#expiresAt = 0;
  }

  /** Null: what anybody may keep. */
  kept(epoch: number | null): void {
    if (epoch !== null && epoch !== this.#epoch)
      this.#violated('lease', `something was kept under epoch ${epoch} after ${this.#epoch} had begun`);
  }
}
