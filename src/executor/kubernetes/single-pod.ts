/** A pod that a command makes for itself: looked at until something is seen of it, and removed whatever becomes of it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { Failed } from '../desk/placing.ts';
import { ApiError, backOff, type Api } from './api.ts';
import { failureOf } from './pod-end.ts';
import { failureToStart } from './pod-start.ts';
import { viewOf, type PodView } from './pod-view.ts';
import { messageOfError } from '../../std/error-message.ts';

const limits = { lookMs: 250, removalTriesMax: 5 } as const;

export interface PodSight {
  readonly api: Api;
  /** Of the pod. */
  readonly path: string;
  /** Rejects with its reason when it is aborted. */
  readonly signal: AbortSignal;
}

/** Looks at the pod until that gives something. */
export async function untilView<T>(
  { api, path, signal }: PodSight,
  patienceMs: number,
  look: (view: PodView, waitedMs: number) => T | null,
): Promise<T> {
  const since = performance.now();
  for (;;) {
    const waitedMs = performance.now() - since;
    const view = await api.request<V1Pod>('GET', path).then(viewOf, (error: unknown) => {
      // An API that does not answer for a moment is no reason to give up.
      if (error instanceof ApiError && error.isPassing && waitedMs < patienceMs) return null;
      throw error;
    });
    const seen = view === null ? null : look(view, waitedMs);
    if (seen !== null) return seen;
    await pause(limits.lookMs, undefined, { signal });
  }
}

/** Why it will not start, or not in time: what a server is patient with is told at once. Null while it may. */
export function whyNotStarted(view: PodView, waitedMs: number, startMs: number): Failed | null {
  const wait = { waitedMs, lackedMs: () => waitedMs };
  return (
    failureOf(view) ??
    failureToStart(view, wait, { startMs: Infinity, imageMs: 0 }) ??
    (waitedMs < startMs ? null : failureToStart(view, wait, { startMs: 0, imageMs: 0 }))
  );
}

/** At once. Why it could not be removed; null: it is, or never was. */
export async function removePod(path: string, api: Api): Promise<string | null> {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
  for (let failures = 1; ; failures += 1) {
    try {
      await api.request('DELETE', path, { body });
      return null;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      if (failures < limits.removalTriesMax && error instanceof ApiError && error.isPassing) {
        await backOff(failures, error, new AbortController().signal);
        continue;
      }
      return messageOfError(error);
    }
  }
}
