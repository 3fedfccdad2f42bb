/**
 * Takes pods away that nobody needs any more, and does not rest before they are gone. A kubelet that has begun to end a
 * pod does not end it sooner when it is asked again; what is still there long after its grace is removed without one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, backOff, type Api } from './api.ts';
import { podPatience } from './pod-end.ts';

export interface PodPlace {
  readonly namespace: string;
  readonly name: string;
  /** Null: whichever pod has the name. */
  readonly uid: string | null;
}

export interface Reaper {
  /** Harmless the second time. A shorter grace than before counts. */
  take(place: PodPlace, graceSeconds: number): void;
  close(): void;
}

/** `isSeen`: whether such a pod is seen to be there. `mayAct`: else the pods are left to another server. */
export function createReaper(
  api: Api,
  isSeen: (place: PodPlace) => boolean,
  trouble: (error: unknown) => void,
  mayAct: () => boolean,
): Reaper {
  const closing = new AbortController();
  const underWay = new Map<string, number>();

  const remove = async ({ namespace, name, uid }: PodPlace, graceSeconds: number): Promise<void> => {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
    const preconditions = uid === null ? {} : { preconditions: { uid } };
    for (let failures = 0; !closing.signal.aborted && mayAct();) {
      try {
        const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: graceSeconds, ...preconditions };
        await api.request('DELETE', path, { body });
        return;
      } catch (error) {
        // 404: it is gone. 409: another pod has the name.
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return;
        failures += 1;
        if (failures > 1) trouble(error);
        await backOff(failures, error, closing.signal);
      }
    }
  };
  const removeFor = async (place: PodPlace, graceSeconds: number): Promise<void> => {
    await remove(place, graceSeconds);
    if (graceSeconds === 0) return;
    const ms = graceSeconds * 1000 + podPatience.goneMs;
    await pause(ms, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    if (isSeen(place)) await remove(place, 0);
  };
  return {
    take(place, graceSeconds) {
      const key = `${place.namespace}/${place.name}/${place.uid ?? ''}`;
      const before = underWay.get(key);
      if (closing.signal.aborted || (before !== undefined && before <= graceSeconds)) return;
      underWay.set(key, graceSeconds);
      void removeFor(place, graceSeconds).finally(() => {
        if (underWay.get(key) === graceSeconds) underWay.delete(key);
      });
    },
    close: () => closing.abort(),
  };
}
