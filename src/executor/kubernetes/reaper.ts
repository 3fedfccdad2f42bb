/**
 * Takes pods away that nobody needs any more, and does not rest before they are gone. A kubelet that has begun to end a
 * pod does not end it sooner when it is asked again; what is still there long after its grace is removed without one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../std/clock.ts';
import { messageOfError } from '../../std/error-message.ts';
import { ApiError, backOff, type Api } from './api.ts';
import { podPatience } from './pod-end.ts';
import { pauseWhile } from './pause-while.ts';

export interface PodPlace {
  readonly namespace: string;
  readonly name: string;
  /** Null: whichever pod has the name. */
  readonly uid: string | null;
}

export interface Reaper {
  /** Harmless the second time. A shorter grace than before counts. */
  take(place: PodPlace, graceSeconds: number): void;
  /** Nobody sees to those under way later: what is not gone in that time goes without a grace. Resolves when it was told so. */
  finish(patienceMs: number): Promise<void>;
  close(): void;
}

export interface ReaperPorts {
  readonly api: Api;
  readonly clock: Clock;
  /** Whether such a pod is seen to be there still, so long after it was told to go; null: it is not there. */
  readonly hasStayed: (place: PodPlace, since: number, ms: number) => boolean | null;
  readonly trouble: (error: unknown) => void;
  /** Else the pods are left to another server. */
  readonly mayAct: () => boolean;
}

/** Of the failures that the pauses between looks are like: a second. */
const againMin = 2;

export function createReaper({ api, clock, hasStayed, trouble, mayAct }: ReaperPorts): Reaper {
  const closing = new AbortController();
  const underWay = new Map<string, { readonly place: PodPlace; readonly graceSeconds: number }>();

  /** Null: it was told to go, or is gone. */
  const tryToRemove = async ({ namespace, name, uid }: PodPlace, graceSeconds: number): Promise<unknown> => {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
    const preconditions = uid === null ? {} : { preconditions: { uid } };
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: graceSeconds, ...preconditions };
    try {
      await api.request('DELETE', path, { body });
      return null;
    } catch (error) {
      // 404: it is gone. 409: another pod has the name.
      return error instanceof ApiError && (error.status === 404 || error.status === 409) ? null : error;
    }
  };
  const remove = async (place: PodPlace, graceSeconds: number): Promise<void> => {
    let told: string | null = null;
    for (let failures = 0; !closing.signal.aborted && mayAct();) {
      const error = await tryToRemove(place, graceSeconds);
      if (error === null) return;
      failures += 1;
      const text = messageOfError(error);
      if (failures > 1 && text !== told) {
        told = text;
        trouble(error);
      }
      await backOff(failures, error, closing.signal);
    }
  };
  /** While the cluster is away, its node may not hear that it is to end a pod: that time is none of the grace. */
  const removeWithoutGrace = async (place: PodPlace, removedAt: number, graceMs: number): Promise<void> => {
    for (let failures = 0; !closing.signal.aborted && mayAct();) {
      const stays = hasStayed(place, removedAt, graceMs);
      if (stays === null) return;
      const error = stays ? await tryToRemove(place, 0) : null;
      if (stays && error === null) return;
      failures = stays ? failures + 1 : 0;
      await backOff(Math.max(failures, againMin), error, closing.signal);
    }
  };
  const removeFor = async (place: PodPlace, graceSeconds: number): Promise<void> => {
    await remove(place, graceSeconds);
    if (graceSeconds === 0) return;
    const removedAt = clock.now();
    const graceMs = graceSeconds * 1000 + podPatience.goneMs;
    await pause(graceMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    await removeWithoutGrace(place, removedAt, graceMs);
  };
  return {
    take(place, graceSeconds) {
      const key = `${place.namespace}/${place.name}/${place.uid ?? ''}`;
      const before = underWay.get(key);
      if (closing.signal.aborted || (before !== undefined && before.graceSeconds <= graceSeconds)) return;
      const removal = { place, graceSeconds };
      underWay.set(key, removal);
      void removeFor(place, graceSeconds).finally(() => {
        if (underWay.get(key) === removal) underWay.delete(key);
      });
    },
    async finish(patienceMs) {
      const left = (): readonly PodPlace[] => {
        const places = [...underWay.values()].map(({ place }) => place);
        return mayAct() ? places.filter((place) => hasStayed(place, 0, 0) !== null) : [];
      };
      await pauseWhile(() => left().length > 0, patienceMs);
      for (const error of await Promise.all(left().map((place) => tryToRemove(place, 0))))
        if (error !== null) trouble(error);
    },
    close: () => closing.abort(),
  };
}
