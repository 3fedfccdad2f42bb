/** One namespace: what is seen in it, and whose pods are there. */
import type { Clock } from '../../std/clock.ts';
import type { PlacementEnd } from '../desk/placing.ts';
import type { PodMetrics } from './pod-metrics.ts';
import type { PodTable } from './pod-table.ts';
import type { Room } from './room.ts';
import type { Sight } from './sight.ts';

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

/** Whether what is known there is of this moment; else it is looked at again. */
export function isFresh({ sight, table }: Seen, clock: Clock): boolean {
  if (sight.isFresh(clock.now())) return true;
  table.lookAgain();
  return false;
}
