/** Why an instance waits that is ready, in words. */
import type { Claimant } from './claims.ts';
import type { SlotsInUse } from './slots.ts';

/** Null where its slots are free: its turn has come, or is about to. */
export function whyWaiting({ pool }: Claimant, inUse: readonly SlotsInUse[]): string | null {
  const own = pool === undefined ? undefined : inUse.find((each) => each.pool === pool.name);
  if (pool !== undefined && own !== undefined && own.taken + pool.slots > own.slots) {
    const wanted = pool.slots === 1 ? 'a slot' : `${pool.slots} slots`;
    return `waits for ${wanted} of pool ${pool.name} (${own.taken} of ${own.slots} taken)`;
  }
  const executor = inUse.find((each) => each.pool === null);
  if (executor === undefined || executor.taken < executor.slots) return null;
  return `waits for a slot of the executor (${executor.taken} of ${executor.slots} taken)`;
}
