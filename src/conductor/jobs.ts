/**
 * Named jobs, each at most once at a time: asked for while it is under way, it runs once more afterwards. A slow one (a
 * fetch) never holds up another (a report).
 */
export class Jobs {
  readonly #perform: (name: string) => Promise<void>;
  /** By name: whether to run once more. */
  readonly #asked = new Map<string, boolean>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(perform: (name: string) => Promise<void>) {
    this.#perform = perform;
  }

  ask(name: string): void {
    if (this.#asked.has(name)) {
      this.#asked.set(name, true);
      return;
    }
    this.#asked.set(name, false);
    const job = this.#loop(name).finally(() => this.#underWay.delete(job));
    this.#underWay.add(job);
  }

  /** Resolves when what is under way has ended. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #loop(name: string): Promise<void> {
    do {
      this.#asked.set(name, false);
      await this.#perform(name);
    } while (this.#asked.get(name) === true);
    this.#asked.delete(name);
  }
}
