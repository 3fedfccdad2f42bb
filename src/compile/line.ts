/**
 * Whose definition is bundled or evaluated next. The definitions of a commit share the time that it has. Of the commits that
 * wait, that one goes on which has had least, and of its definitions first those that were not tried yet: slow ones hold
 * up themselves, and neither their neighbours nor other commits.
 */

/** What the definitions of one commit may take, and have taken. */
export class Share {
  readonly limitMs: number;
  usedMs = 0;

  constructor(limitMs: number) {
    this.limitMs = limitMs;
  }
}

interface Waiting {
  readonly share: Share;
  readonly wasTried: boolean;
  readonly begin: () => void;
}

/** One works, the others wait. */
export class Line {
  readonly #waiting: Waiting[] = [];
  readonly #nowMs: () => number;
  #isTaken = false;

  /** `nowMs` grows with what work takes from its share. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Null where the share is used up when the turn comes. Rejects as `work` does. */
  async inTurn<T>(share: Share, wasTried: boolean, work: () => Promise<T>): Promise<T | null> {
    if (this.#isTaken) await new Promise<void>((begin) => this.#waiting.push({ share, wasTried, begin }));
    this.#isTaken = true;
    const begunAt = this.#nowMs();
    try {
      return share.usedMs < share.limitMs ? await work() : null;
    } finally {
      share.usedMs += this.#nowMs() - begunAt;
      this.#handOn();
    }
  }

  #handOn(): void {
    const [first, ...others] = this.#waiting;
    this.#isTaken = first !== undefined;
    if (first === undefined) return;
    const next = others.reduce((best, each) => (isBefore(each, best) ? each : best), first);
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    next.begin();
  }
}

function isBefore(one: Waiting, other: Waiting): boolean {
  if (one.share !== other.share) return one.share.usedMs < other.share.usedMs;
  return !one.wasTried && other.wasTried;
}
