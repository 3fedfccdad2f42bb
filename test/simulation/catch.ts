/** Looks for the first seed in which a guard that was taken away is missed. */
import type { MutantName } from './mutants.ts';
import { simulate, type Outcome } from './simulate.ts';

export async function catchMutant(mutant: MutantName, seedsMax: number, steps: number): Promise<Outcome | null> {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const outcome = await simulate({ seed, steps, mutant });
    if (outcome.violation !== null) return outcome;
  }
  return null;
}
