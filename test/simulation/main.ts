/**
 * `node test/simulation/main.ts --seed 123 --steps 500` replays one seed and tells what happens; with `--seeds 5000` it
 * looks for seeds that break a promise. `--only crash,attempts` and `--off clock` choose among the fault classes.
 */
import { parseArgs } from 'node:util';
import { faultClasses, type FaultClass } from './faults.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    steps: { type: 'string', default: '500' },
    only: { type: 'string' },
    off: { type: 'string', default: '' },
    tell: { type: 'boolean', default: false },
  },
});

const first = Number(values.seed);
const count = Number(values.seeds);
const steps = Number(values.steps);
const only = classesOf(values.only ?? faultClasses.join(','));
const off = new Set([...classesOf(values.off), ...faultClasses.filter((name) => !only.has(name))]);
const tell = values.tell ? (line: string): void => console.log(line) : undefined;

const kinds = new Map<string, number[]>();
let totalSteps = 0;
const startedAt = performance.now();
for (let seed = first; seed < first + count; seed += 1) {
  const outcome = await simulate({ seed, steps, off, ...(tell === undefined ? {} : { tell }) });
  totalSteps += outcome.steps;
  if (outcome.violation !== null) {
    const kind = kindOf(`${outcome.violation.promise} ${outcome.violation.what}`);
    kinds.set(kind, [...(kinds.get(kind) ?? []), seed]);
  }
  if (count === 1) console.log(outcome);
}
for (const [kind, seeds] of [...kinds].toSorted((one, other) => other[1].length - one[1].length))
  console.log(seeds.length, kind, seeds.slice(0, 8).join(','));
console.log(`${count} seeds, ${totalSteps} steps, ${Math.round(performance.now() - startedAt)} ms`);
process.exitCode = kinds.size === 0 ? 0 : 1;

function classesOf(text: string): Set<FaultClass> {
  return new Set(faultClasses.filter((name) => text.split(',').includes(name)));
}

/** Without ids, so that the same trouble in other seeds counts together. */
function kindOf(text: string): string {
  return text
    .replaceAll(/[0-9a-v]{20,}|[0-9a-f]{40}/g, 'X')
    .replaceAll(/\d+/g, 'n')
    .slice(0, 160);
}
