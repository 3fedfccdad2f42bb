/** How many pods a namespace may have that have not ended. */
import { forbidden, type Status } from './status.ts';
import type { Store } from './store.ts';
import type { Pod } from './wire.ts';

export interface Quota {
  /** null: as many as one likes. */
  set(podsMax: number | null): void;
  /** As one is made by its owner, of pods alone. */
  create(body: object): object;
  refusalOf(pod: Pod, pods: Store<Pod>): Status | null;
  list(namespace: string, pods: Store<Pod>, version: number): object;
}

export function createQuota(): Quota {
  let podsMax: number | null = null;
  let name = 'few';
  const usedOf = (namespace: string, pods: Store<Pod>): number =>
    pods.list(namespace).filter(({ status }) => status.phase !== 'Succeeded' && status.phase !== 'Failed').length;
  return {
    set: (max) => void (podsMax = max),
    create(body) {
      const { metadata, spec } = body as { metadata?: { name?: string }; spec?: { hard?: { pods?: string } } };
      name = metadata?.name ?? name;
      podsMax = Number(spec?.hard?.pods ?? 0);
      return { kind: 'ResourceQuota', apiVersion: 'v1', ...body, status: {} };
    },
    refusalOf(pod, pods) {
      if (podsMax === null) return null;
      const used = usedOf(pod.metadata.namespace, pods);
      if (used < podsMax) return null;
      const message = `exceeded quota: ${name}, requested: pods=1, used: pods=${used}, limited: pods=${podsMax}`;
      return forbidden(pod.metadata.name, message);
    },
    list(namespace, pods, version) {
      const hard = { pods: String(podsMax) };
      const used = { pods: String(usedOf(namespace, pods)) };
      const items = podsMax === null ? [] : [{ metadata: { name, namespace }, spec: { hard }, status: { hard, used } }];
      return { kind: 'ResourceQuotaList', apiVersion: 'v1', metadata: { resourceVersion: String(version) }, items };
    },
  };
}
