/** Looks for a seed in which a guard that was taken away is missed. */
import { readFileSync } from 'node:fs';
import type { MutantName } from './mutants.ts';
import { simulate, type Outcome } from './simulate.ts';

/** The rarest guard is missed in one seed of some hundred. */
const seedsMax = 1200;

/** The first that there is. */
export async function catchMutant(mutant: MutantName, steps: number): Promise<Outcome | null> {
  return await firstOf(
    mutant,
    Array.from({ length: seedsMax }, (_, index) => index + 1),
    steps,
  );
}

/** Begins with the seed that `docs/simulation.md` names, which was the first when that was written. */
export async function catchMutantAgain(mutant: MutantName, steps: number): Promise<Outcome | null> {
  const page = readFileSync(new URL('../../docs/simulation.md', import.meta.url), 'utf8');
  const named = Number(new RegExp(`^\\| [^|]*\`${mutant}\`[^|]*\\|[^|]*\\| (\\d+) \\|`, 'm').exec(page)?.[1] ?? 1);
  const known = await firstOf(mutant, [named], steps);
  return known ?? (await catchMutant(mutant, steps));
}

async function firstOf(mutant: MutantName, seeds: readonly number[], steps: number): Promise<Outcome | null> {
  for (const seed of seeds) {
    const outcome = await simulate({ seed, steps, mutant });
    if (outcome.violation !== null) return outcome;
  }
  return null;
}
