/** Makes a seed that broke a promise smaller: as few fault classes as it takes, then as few steps. */
import type { FaultClass } from './faults.ts';
import { simulate, type Outcome, type Simulation } from './simulate.ts';

export interface Shrunk {
  readonly steps: number;
  readonly off: ReadonlySet<FaultClass>;
  readonly outcome: Outcome;
}

/** The same promise must be broken; another one would be another trouble. */
export async function shrink(simulation: Simulation, broken: Outcome): Promise<Shrunk> {
  const promise = broken.violation?.promise;
  let best: Shrunk = { steps: simulation.steps, off: simulation.off ?? new Set(), outcome: broken };
  const tryWith = async (steps: number, off: ReadonlySet<FaultClass>): Promise<boolean> => {
    const outcome = await simulate({ ...simulation, steps, off });
    if (outcome.violation?.promise !== promise) return false;
    best = { steps, off, outcome };
    return true;
  };
  for (const name of broken.on) await tryWith(best.steps, new Set([...best.off, name]));
  let low = 0;
  while (low < best.steps) {
    const middle = Math.floor((low + best.steps) / 2);
    if (!(await tryWith(middle, best.off))) low = middle + 1;
  }
  return best;
}
