/** How an agent is told that its work is to end: by a signal, by the server, and again where the grace gets shorter. */
export interface Ending {
  /** Aborted from the first word on. */
  readonly signal: AbortSignal;
  /** `graceMs`: from the warning to the kill; null: what the step says. */
  stop(graceMs: number | null): void;
  /** Who ends the work; told at once where the word came before. */
  attach(end: (graceMs: number | null) => void): void;
}

export function createEnding(): Ending {
  const controller = new AbortController();
  let last: number | null = null;
  let end: ((graceMs: number | null) => void) | null = null;
  return {
    signal: controller.signal,
    stop(graceMs) {
      last = graceMs;
      controller.abort();
      end?.(graceMs);
    },
    attach(next) {
      end = next;
      if (controller.signal.aborted) next(last);
    },
  };
}
