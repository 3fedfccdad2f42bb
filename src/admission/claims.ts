/** What an attempt takes: a slot of the executor, and the slots of its pool where its step names one. */
import type { StepDefinition } from '../pipeline/definition.ts';

/** Slots by the name of the pool. */
export type Pools = ReadonlyMap<string, number>;

/** What a step says about slots. */
export type Claimant = Pick<StepDefinition, 'pool' | 'priority'>;

/** Why a step can never get the slots of its pool, as a sentence for the user; null: it can. */
export function poolMistake(pools: Pools, { pool }: Claimant): string | null {
  if (pool === undefined) return null;
  const slots = pools.get(pool.name);
  if (slots === undefined) {
    const known = pools.size === 0 ? 'no pools' : `the pools ${[...pools.keys()].join(', ')}`;
    return `there is no pool "${pool.name}"; contender.yaml declares ${known}`;
  }
  if (pool.slots <= slots) return null;
  return `an attempt takes ${pool.slots} slots of the pool "${pool.name}", which has ${slots}`;
}
