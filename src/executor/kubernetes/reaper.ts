/** Takes pods away that nobody needs any more, and does not rest before the cluster says that they are gone or going. */
import { ApiError, backOff, type Api } from './api.ts';

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

export function createReaper(api: Api, trouble: (error: unknown) => void): Reaper {
  const closing = new AbortController();
  const underWay = new Map<string, number>();

  const remove = async ({ namespace, name, uid }: PodPlace, graceSeconds: number): Promise<void> => {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
    const preconditions = uid === null ? {} : { preconditions: { uid } };
    for (let failures = 0; !closing.signal.aborted;) {
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
  return {
    take(place, graceSeconds) {
      const key = `${place.namespace}/${place.name}/${place.uid ?? ''}`;
      const before = underWay.get(key);
      if (closing.signal.aborted || (before !== undefined && before <= graceSeconds)) return;
      underWay.set(key, graceSeconds);
      void remove(place, graceSeconds).finally(() => {
        if (underWay.get(key) === graceSeconds) underWay.delete(key);
      });
    },
    close: () => closing.abort(),
  };
}
