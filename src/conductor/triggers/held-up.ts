/**
 * Since when a server sees ticks come due and cannot decide on them, for a reason that is not the pipeline's: a refused
 * commit, a database or a Git that does not answer, the lease lost with it. Such ticks are nobody's miss, and run as
 * soon as they can be kept. It outlives terms, and no process: after a restart, catch-up says what runs.
 */
export class HeldUp {
  /** Repositories whose schedules are not known. */
  readonly #repositories = new Map<string, number>();
  /** By repository: the pipelines whose ticks could not be kept. */
  readonly #pipelines = new Map<string, Map<string, number>>();

  /** Milliseconds; null: it is not. */
  since(repository: string, pipeline: string): number | null {
    return this.#pipelines.get(repository)?.get(pipeline) ?? null;
  }

  begin(repository: string, pipeline: string, at: number): void {
    const known = this.#pipelines.get(repository) ?? new Map<string, number>();
    if (!known.has(pipeline)) this.#pipelines.set(repository, known.set(pipeline, at));
  }

  end(repository: string, pipeline: string): void {
    this.#pipelines.get(repository)?.delete(pipeline);
  }

  beginAll(repository: string, at: number): void {
    if (!this.#repositories.has(repository)) this.#repositories.set(repository, at);
  }

  /** The schedules could be read, and are those of `pipelines`. What others would have fired is lost with them. */
  endAll(repository: string, pipelines: readonly string[]): void {
    const unknownSince = this.#repositories.get(repository) ?? null;
    this.#repositories.delete(repository);
    const held = pipelines.flatMap((pipeline): readonly (readonly [string, number])[] => {
      const times = [this.since(repository, pipeline), unknownSince].filter((since) => since !== null);
      return times.length === 0 ? [] : [[pipeline, Math.min(...times)]];
    });
    this.#pipelines.set(repository, new Map(held));
  }
}
