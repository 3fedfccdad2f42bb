/** So many of one kind of request at once, because whoever can read may send any number of them, and each is much work. */
export class AtOnce {
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** A place, with the function that gives it back; null where all are taken. */
  take(): (() => void) | null {
    if (this.#count >= this.#max) return null;
    this.#count += 1;
    let held = true;
    return () => {
      if (held) this.#count -= 1;
      held = false;
    };
  }
}

/** What `retry-after` says to whoever found no place. */
export const comeBackAfterSeconds = '10';
