/**
 * Since when a pod is on its way to the first process of its step, and since when each part of it has been seen without what it
 * lacks; pure. A helper that brings the inputs of its container takes the time that it takes: what is to start then, starts its time
 * anew. What an earlier server saw is not known: a pod that was asked for by that one counts from its creation.
 */
import type { AgentSide, Lasted } from './pod-end.ts';
import { isBringing, lackingIn, type StartWait } from './pod-start.ts';
import type { PodView } from './pod-view.ts';

export class StartWaits {
  #since: number | null = null;
  #hasBegun = false;
  #lacking: ReadonlyMap<string, number> = new Map();

  /** Its pod is wished for. */
  asked(at: number): void {
    this.#since ??= at;
  }

  /** `isHeard`: its agent has spoken lately. */
  see(view: PodView, now: number, agent: AgentSide, isHeard: boolean): void {
    const begins = agent.hasBegun && !this.#hasBegun;
    if (begins || (isHeard && isBringing(view, agent))) this.#since = now;
    this.#hasBegun = agent.hasBegun;
    this.#since ??= view.createdAt;
    this.#lacking = new Map(lackingIn(view).map((part) => [part, this.#lacking.get(part) ?? now]));
  }

  /** How long by now. */
  lasted(lasted: Lasted): StartWait {
    const lastedSince = (since: number | null | undefined): number => (since == null ? 0 : lasted(since));
    return { waitedMs: lastedSince(this.#since), lackedMs: (part) => lastedSince(this.#lacking.get(part)) };
  }
}
