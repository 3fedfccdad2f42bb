/**
 * The way from one server to the world. Every answer takes time, in which anything else may happen; an answer to a
 * server that has died never comes, so what it would have done next is not done. A call fails before it had its effect
 * or after, and the caller cannot tell which.
 */
import type { FaultClass, Faults } from './faults.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface WireOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  /** As they are now: in the second phase there are none. */
  readonly faults: () => Faults;
  /** Something of the server itself: it waits while the server is frozen, and never comes when it has died. */
  readonly later: (ms: number, call: () => void) => void;
}

export interface CallFaults<T> {
  readonly before?: FaultClass;
  readonly after?: FaultClass;
  /** The effect comes after up to three seconds, even when the server has died meanwhile. */
  readonly outlives?: FaultClass;
  /** What the caller hears then; a rejection where it throws. */
  readonly answer: () => T;
}

export class Wire {
  readonly #options: WireOptions;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  get random(): Random {
    return this.#options.random;
  }

  strikes(name: FaultClass | undefined): boolean {
    const strength = name === undefined ? 0 : this.#options.faults()[name];
    return strength > 0 && this.#options.random.chance(strength);
  }

  /** Never answers a server that has died meanwhile. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.later(ms, resolve));
  }

  async call<T>(effect: () => T | Promise<T>, faults: CallFaults<T>): Promise<T> {
    const outlives = this.strikes(faults.outlives);
    const waitsBefore = outlives || this.random.chance(0.5);
    const ms = outlives ? this.random.between(0, 3000) : this.#latency();
    if (outlives) await this.#sent(ms);
    else if (waitsBefore) await this.pause(ms);
    if (this.strikes(faults.before)) {
      if (!waitsBefore) await this.pause(ms);
      return faults.answer();
    }
    const result = await effect();
    if (!waitsBefore || outlives) await this.pause(outlives ? 0 : ms);
    return this.strikes(faults.after) ? faults.answer() : result;
  }

  /** On its way, whatever becomes of the server. */
  #sent(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.time.later(ms, resolve));
  }

  #latency(): number {
    return this.strikes('slow') ? this.random.between(0, 10_000) : this.random.between(0, 4);
  }
}
