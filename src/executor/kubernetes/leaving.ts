/** Pods that are to stay, until they have had the time to begin their end: what does not is no longer waited for. */
import { pauseWhile } from './pause-while.ts';
import type { PodPlace } from './reaper.ts';

/** After the end that its agent has told: to end itself. */
export const leaveSeconds = 10;

export interface LeavingPorts {
  /** It is there, and neither has ended nor is ended by its node. */
  readonly goesOn: (place: PodPlace) => boolean;
  /** Whether what is known there is of this moment. */
  readonly isFresh: (place: PodPlace) => boolean;
  /** Removes it at once. */
  readonly remove: (place: PodPlace) => void;
}

export class Leaving {
  readonly #ports: LeavingPorts;
  readonly #pods = new Map<string, { readonly place: PodPlace; readonly timer: NodeJS.Timeout }>();

  constructor(ports: LeavingPorts) {
    this.#ports = ports;
  }

  has(name: string): boolean {
    return this.#pods.has(name);
  }

  take(place: PodPlace): void {
    const timer = setTimeout(() => {
      this.#pods.delete(place.name);
      if (!this.#ports.goesOn(place)) return;
      if (this.#ports.isFresh(place)) this.#ports.remove(place);
      else this.take(place);
    }, leaveSeconds * 1000);
    this.#pods.set(place.name, { place, timer: timer.unref() });
  }

  /** Whoever conducts next sees to them. */
  close(): void {
    for (const { timer } of this.#pods.values()) clearTimeout(timer);
  }

  /** Nobody comes after: what goes on then would do so until its deadline. */
  async seeOff(patienceMs: number): Promise<void> {
    const goOn = (): readonly PodPlace[] =>
      [...this.#pods.values()].map(({ place }) => place).filter(this.#ports.goesOn);
    await pauseWhile(() => goOn().length > 0, patienceMs);
    for (const place of goOn()) this.#ports.remove(place);
  }
}
