/** Namespaces: what is seen in each, and whose pods are there. */
import type { Clock } from '../../std/clock.ts';
import type { PlacementEnd } from '../desk/placing.ts';
import { ApiError } from './api.ts';
import type { Namespaces } from './namespaces.ts';
import { createPodMetrics, type PodMetrics } from './pod-metrics.ts';
import { openPodTable, type PodTable, type PodTableOptions } from './pod-table.ts';
import { podLabels } from './pod.ts';
import type { PodPlace } from './reaper.ts';
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

interface SeenPorts extends Omit<PodTableOptions, 'selector' | 'sight'> {
  readonly instance: string;
}

function openSeen({ api, namespace, instance, clock, changed, listed, trouble }: SeenPorts): Seen {
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

export interface SeenNamespacesPorts extends Pick<SeenPorts, 'api' | 'clock' | 'instance' | 'changed'> {
  /** That of the configuration. */
  readonly own: string;
  /** In which pods of ours may be, kept for the next server. */
  readonly names: Namespaces;
  readonly listed: (seen: Seen, begunAt: number) => void;
  readonly trouble: (error: unknown, what: string) => void;
}

/** Each is looked at from the first time that it is named. */
export class SeenNamespaces {
  readonly #ports: SeenNamespacesPorts;
  readonly #namespaces = new Map<string, Seen>();

  constructor(ports: SeenNamespacesPorts) {
    this.#ports = ports;
  }

  get(namespace: string): Seen | undefined {
    return this.#namespaces.get(namespace);
  }

  values(): Iterable<Seen> {
    return this.#namespaces.values();
  }

  in(namespace: string): Seen {
    const before = this.#namespaces.get(namespace);
    if (before !== undefined) return before;
    const { names, listed, trouble } = this.#ports;
    names.add(namespace);
    const seen = openSeen({
      ...this.#ports,
      namespace,
      listed: (begunAt) => listed(seen, begunAt),
      trouble: (error) => trouble(error, `the pods of ${namespace} cannot be seen`),
    });
    this.#namespaces.set(namespace, seen);
    return seen;
  }

  /** Whether it is seen to be there still after so long; null: it is not there. */
  hasStayed({ namespace, name, uid }: PodPlace, since: number, ms: number): boolean | null {
    const { clock } = this.#ports;
    const seen = this.#namespaces.get(namespace);
    const view = seen?.table.get(name);
    if (seen === undefined || view === undefined || (uid !== null && view.uid !== uid)) return null;
    return seen.sight.lasted(since, clock.now()) >= ms && isFresh(seen, clock);
  }

  /** A name that is misspelt, above all: no server is to look there again. */
  leaveUnused(namespace: string, seen: Seen): void {
    const { names, own, trouble } = this.#ports;
    const { table, metrics, ids, isUsed, isListed } = seen;
    if (isUsed || ids.size > 0 || namespace === own) return;
    const isEmpty = isListed ? table.values().next().done : !names.known.includes(namespace);
    if (isEmpty !== true || this.#namespaces.get(namespace) !== seen) return;
    table.close();
    metrics.close();
    this.#namespaces.delete(namespace);
    try {
      names.remove(namespace);
    } catch (error) {
      trouble(error, `the namespace ${namespace} is not forgotten`);
    }
  }

  close(): void {
    for (const { table, metrics } of this.#namespaces.values()) {
      table.close();
      metrics.close();
    }
  }
}
