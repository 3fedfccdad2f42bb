/**
 * What goes wrong with a repository or a run again and again: somebody else's server that is down, an address that is
 * wrong. It is said when it begins, changes and ends, and tried again soon at first, then ever more rarely.
 */
export class Trouble {
  readonly #met = new Map<string, { readonly reason: string; readonly times: number }>();

  /** `isNews`: it has not been said. `againMs`: when to try again, at most `againMaxMs` from now. */
  meet(what: string, reason: string, againMaxMs: number): { readonly isNews: boolean; readonly againMs: number } {
    const before = this.#met.get(what);
    const times = before === undefined ? 0 : before.times + 1;
    this.#met.set(what, { reason, times });
    return { isNews: before?.reason !== reason, againMs: Math.min(againFirstMs * 2 ** times, againMaxMs) };
  }

  /** True where there was any until now. */
  end(what: string): boolean {
    return this.#met.delete(what);
  }
}

const againFirstMs = 2000;
