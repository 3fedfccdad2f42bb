/** All pods that live, each under its uid. */
import { beginLife, type PodLife } from './pod-life.ts';
import type { Surroundings } from './pod-state.ts';
import type { Pod } from './wire.ts';

export interface Kubelet {
  begin(pod: Pod): void;
  /** null: nothing of it was ever here. */
  lifeOf(pod: Pod): PodLife | null;
  /** All that a lost node did meanwhile. */
  publishAll(): void;
  /** Ends the processes of all pods. */
  close(): Promise<void>;
}

export function createKubelet(around: Omit<Surroundings, 'address'>): Kubelet {
  const lives = new Map<string, PodLife>();
  return {
    begin(pod) {
      const address = `10.244.${Math.floor(lives.size / 250)}.${(lives.size % 250) + 2}`;
      lives.set(pod.metadata.uid, beginLife(pod, { ...around, address }));
    },
    lifeOf: (pod) => lives.get(pod.metadata.uid) ?? null,
    publishAll: () => lives.forEach((life) => life.publish()),
    async close() {
      around.node.release();
      for (const life of lives.values()) life.stop({ graceSeconds: 0, reason: null, message: null });
      await Promise.all([...lives.values()].map(({ over }) => over));
    },
  };
}
