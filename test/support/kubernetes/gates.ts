/** Places in the life of a pod where a test can have it wait. */
import type { Pod } from './wire.ts';

export interface Gate {
  /** Pods that come to it from now on, and that are at it, wait; all, or those that are chosen. */
  hold(chosen?: (pod: Pod) => boolean): void;
  release(): void;
  holds(pod: Pod): boolean;
  passed(pod: Pod): Promise<void>;
}

export function createGate(): Gate {
  let chosen: ((pod: Pod) => boolean) | null = null;
  let change = Promise.withResolvers<void>();
  const set = (next: ((pod: Pod) => boolean) | null): void => {
    chosen = next;
    change.resolve();
    change = Promise.withResolvers<void>();
  };
  const holds = (pod: Pod): boolean => chosen?.(pod) === true;
  return {
    hold: (which = () => true) => set(which),
    release: () => set(null),
    holds,
    async passed(pod) {
      while (holds(pod)) await change.promise;
    },
  };
}
