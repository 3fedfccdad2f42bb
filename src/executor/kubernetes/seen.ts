/** One namespace: what is seen in it, and whose pods are there. */
import type { Clock } from '../../std/clock.ts';
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
  readonly ids: Set<string>;
  /** Of an earlier server: nobody knows yet whether they have pods. */
  readonly waiting: Set<string>;
}

/** Whether what is known there is of this moment; else it is looked at again. */
export function isFresh({ sight, table }: Seen, clock: Clock): boolean {
  if (sight.isFresh(clock.now())) return true;
  table.lookAgain();
  return false;
}
