/**
 * Who waits for which slots, by what was kept: an instance that is started while one of a higher priority waits for the
 * same slots, and has for longer than any answer takes, was let past it. Where several slots were free at once, each has
 * one, and who begins first is chance: it was passed by if it has not begun when an answer has had its time again.
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
  /** Who was started before those that wait, and when. */
  readonly #passed = new Map<string, { readonly by: string; readonly at: number }>();

  /** Gives who was passed by, and by whom, before `since`. */
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
    if (event.type === 'step-finished' || event.type === 'attempt-started') this.#forget(key);
    // Nothing is known of slots that were given before.
    if (at.since === Number.NEGATIVE_INFINITY) this.#passed.clear();
    if (event.type === 'attempt-started')
      for (const [other, waiting] of this.#waiting)
        if (
          waiting.pool === pool &&
          waiting.priority > priority &&
          waiting.since < at.since &&
          !this.#passed.has(other)
        )
          this.#passed.set(other, { by: key, at: at.now });
    for (const [other, passed] of this.#passed)
      if (passed.at < at.since) return `${passed.by} was started before ${other}`;
    return null;
  }

  /** Nothing of this run is started any more. */
  stopped(runId: string): void {
    for (const [key, waiting] of this.#waiting) if (waiting.runId === runId) this.#forget(key);
  }

  #forget(key: string): void {
    this.#waiting.delete(key);
    this.#passed.delete(key);
  }
}
