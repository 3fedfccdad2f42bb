/** One namespace: what is seen in it, and whose pods are there. */
import type { Clock } from '../../std/clock.ts';
import type { PlacementEnd } from '../desk/placing.ts';
import { ApiError } from './api.ts';
import { createPodMetrics, type PodMetrics } from './pod-metrics.ts';
import { openPodTable, type PodTable, type PodTableOptions } from './pod-table.ts';
import { podLabels } from './pod.ts';
import { createRoom, type Room } from './room.ts';
import { createSight, type Sight } from './sight.ts';

export interface Seen {
  readonly table: PodTable;
  readonly sight: Sight;
  readonly metrics: PodMetrics;
  readonly room: Room;
  isListed: boolean;
  /** Since when this server may not list it, and why not. */
  refused: { readonly since: number; readonly why: string } | null;
  /** A pod may have been made there. */
  isUsed: boolean;
  readonly ids: Set<string>;
  /** Of an earlier server, with the end that it knew: nobody knows yet whether they have pods. */
  readonly waiting: Map<string, PlacementEnd | null>;
}

export interface SeenPorts extends Omit<PodTableOptions, 'selector' | 'sight'> {
  readonly instance: string;
}

export function openSeen({ api, namespace, instance, clock, changed, listed, trouble }: SeenPorts): Seen {
  const selector = `${podLabels.instance}=${instance}`;
  const room = createRoom();
  const sight = createSight();
  const table = openPodTable({
    api,
    namespace,
    selector,
    clock,
    sight,
    changed(name, view) {
      changed(name, view);
      if (view === null) room.gone(name);
      else if (view.phase === 'Succeeded' || view.phase === 'Failed') room.ended(name);
    },
    listed,
    trouble(error) {
      const isRefused = error instanceof ApiError && (error.status === 403 || error.status === 404);
      seen.refused = isRefused ? { since: seen.refused?.since ?? clock.now(), why: error.message } : null;
      trouble(error);
    },
  });
  const metrics = createPodMetrics({ api, namespace, selector });
  const seen: Seen = {
    table,
    sight,
    metrics,
    room,
    isListed: false,
    refused: null,
    isUsed: false,
    ids: new Set(),
    waiting: new Map(),
  };
  return seen;
}

/** Whether what is known there is of this moment; else it is looked at again. */
export function isFresh({ sight, table }: Seen, clock: Clock): boolean {
  if (sight.isFresh(clock.now())) return true;
  table.lookAgain();
  return false;
}
