/**
 * Who waits for which slots, by what was kept: an instance that is started while one of a higher priority waits for the
 * same slots, and has for longer than any answer takes, was let past it.
 */
import type { RunEvent } from '../../src/engine/event.ts';
import type { StepDefinition } from '../../src/pipeline/definition.ts';

interface Waiting {
  readonly runId: string;
  readonly pool: string | null;
  readonly priority: number;
  readonly since: number;
}

export class Lines {
  readonly #waiting = new Map<string, Waiting>();

  /** Gives who was passed by, of those that wait since before `since`. */
  happened(
    runId: string,
    step: StepDefinition | undefined,
    event: RunEvent,
    at: { readonly now: number; readonly since: number },
  ): string | null {
    if (step === undefined || !('index' in event)) return null;
    const key = `${runId}/${event.step}/${event.index}`;
    const pool = step.pool?.name ?? null;
    const priority = step.priority ?? 0;
    if (event.type === 'step-scheduled') this.#waiting.set(key, { runId, pool, priority, since: at.now });
    if (event.type === 'step-finished') this.#waiting.delete(key);
    if (event.type !== 'attempt-started') return null;
    this.#waiting.delete(key);
    for (const [other, waiting] of this.#waiting)
      if (waiting.pool === pool && waiting.priority > priority && waiting.since < at.since) return other;
    return null;
  }

  /** Nothing of this run is started any more. */
  stopped(runId: string): void {
    for (const [key, waiting] of this.#waiting) if (waiting.runId === runId) this.#waiting.delete(key);
  }
}
