/**
 * Work under the same name runs one after the other, in the order in which it was asked for; under other names, together.
 * Work that may run beside its like waits for all else that was asked for before, and is waited for.
 */
export class OneAtATime {
  readonly #lanes = new Map<string, Lane>();

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const own = this.#behind(name).all.then(work, work);
    return this.#follow(name, { alone: own, all: own }, own);
  }

  /** Together with what is given so before and after it. */
  async beside<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { alone, all } = this.#behind(name);
    const own = alone.then(work, work);
    return this.#follow(name, { alone, all: ended(all, own) }, own);
  }

  #behind(name: string): Lane {
    return this.#lanes.get(name) ?? { alone: Promise.resolve(), all: Promise.resolve() };
  }

  async #follow<T>(name: string, lane: Lane, own: Promise<T>): Promise<T> {
    this.#lanes.set(name, lane);
    try {
      return await own;
    } finally {
      if (this.#lanes.get(name) === lane) this.#lanes.delete(name);
    }
  }
}

/** What work waits for. */
interface Lane {
  /** The last that runs alone. */
  readonly alone: Promise<unknown>;
  readonly all: Promise<unknown>;
}

async function ended(...works: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(works);
}
