/**
 * The most memory that the containers of steps were seen to take, where the cluster measures it (metrics.k8s.io, of
 * metrics-server). It looks every fifteen seconds or so, and so do we: what is shorter, or has a short peak, is not seen. Agents
 * measure what they carry out by themselves; this is for containers that have none.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isJsonObject, type Json } from '../../std/json.ts';
import { ApiError, type Api } from './api.ts';
import { mainContainer } from './pod-end.ts';
import { amountOf } from '../../std/quantity.ts';

export interface PodMetrics {
  /** From now on. Harmless the second time. */
  watch(pod: string): void;
  /** That was seen, in bytes; null: nothing. */
  most(pod: string): number | null;
  forget(pod: string): void;
  close(): void;
}

export interface PodMetricsOptions {
  readonly api: Pick<Api, 'request'>;
  readonly namespace: string;
  /** A label selector. */
  readonly selector: string;
  readonly lookMs?: number;
}

const limits = {
  lookMs: 15_000,
  /** Where there are none, or they may not be seen: somebody may install them, or allow it. */
  absentMs: 600_000,
} as const;

export function createPodMetrics({ api, namespace, selector, lookMs = limits.lookMs }: PodMetricsOptions): PodMetrics {
  const most = new Map<string, number | null>();
  const closing = new AbortController();
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${encodeURIComponent(namespace)}/pods`;
  let isLooking = false;

  const look = async (): Promise<number> => {
    try {
      const found = await api.request<Json>('GET', path, { query: { labelSelector: selector } });
      for (const [pod, bytes] of memoryIn(found)) if (most.has(pod)) most.set(pod, Math.max(most.get(pod) ?? 0, bytes));
      return lookMs;
    } catch (error) {
      return error instanceof ApiError && error.isPassing ? lookMs : limits.absentMs;
    }
  };
  const run = async (): Promise<void> => {
    while (most.size > 0 && !closing.signal.aborted) {
      const waitMs = await look();
      await pause(waitMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
    isLooking = false;
  };
  return {
    watch(pod) {
      if (!most.has(pod)) most.set(pod, null);
      if (isLooking) return;
      isLooking = true;
      void run();
    },
    most: (pod) => most.get(pod) ?? null,
    forget: (pod) => void most.delete(pod),
    close: () => closing.abort(),
  };
}

/** Of the main container of each pod. */
function memoryIn(list: Json): readonly (readonly [pod: string, bytes: number])[] {
  const items = isJsonObject(list) && Array.isArray(list['items']) ? list['items'] : [];
  return items.flatMap((item: Json) => {
    if (!isJsonObject(item) || !isJsonObject(item['metadata']) || !Array.isArray(item['containers'])) return [];
    const { name } = item['metadata'];
    const main = item['containers'].find((one: Json) => isJsonObject(one) && one['name'] === mainContainer);
    const usage = isJsonObject(main) && isJsonObject(main['usage']) ? main['usage'] : {};
    const bytes = typeof usage['memory'] === 'string' ? amountOf(usage['memory']) : Number.NaN;
    return typeof name === 'string' && Number.isFinite(bytes) ? [[name, Math.round(bytes)] as const] : [];
  });
}
