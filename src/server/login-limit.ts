/** How often somebody may try a token in vain: five times a minute from one address. */
import type { Clock } from '../std/clock.ts';

export const loginLimits = { tries: 5, withinMs: 60_000, addressesMax: 10_000 } as const;

export class LoginLimit {
  readonly #clock: Clock;
  /** When each address tried, the longest silent address first. */
  readonly #tries = new Map<string, readonly number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a try, unless there were too many. */
  allows(address: string): boolean {
    const now = this.#clock.now();
    const recent = (this.#tries.get(address) ?? []).filter((at) => at > now - loginLimits.withinMs);
    if (recent.length >= loginLimits.tries) return false;
    this.#tries.delete(address);
    const [oldest] = this.#tries.keys();
    if (this.#tries.size >= loginLimits.addressesMax && oldest !== undefined) this.#tries.delete(oldest);
    this.#tries.set(address, [...recent, now]);
    return true;
  }

  /** The last one was right, and counts no longer. */
  succeeded(address: string): void {
    const tries = this.#tries.get(address) ?? [];
    if (tries.length > 1) this.#tries.set(address, tries.slice(0, -1));
    else this.#tries.delete(address);
  }
}
