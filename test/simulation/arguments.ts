/** What a seed is run with, to and from the command line. */
import { parseArgs } from 'node:util';
import { faultClasses, type FaultClass } from './faults.ts';
import { mutantNames, type MutantName } from './mutants.ts';

export interface Arguments {
  readonly seed: number;
  readonly seeds: number;
  readonly steps: number;
  readonly off: ReadonlySet<FaultClass>;
  readonly mutant: MutantName | null;
  readonly tell: boolean;
  readonly workers: number;
  /** Undefined: as the seed will have it. */
  readonly servers: 1 | 2 | undefined;
}

export const stepsDefault = 500;

export const usage = `npm run simulate -- [OPTIONS]

  --seed N             the seed, or the first of --seeds (1)
  --seeds N            how many; the first that breaks a promise is made small
  --steps N            steps of each while faults strike (${stepsDefault})
  --off NAME,NAME      without these faults: ${faultClasses.join(', ')}
  --only NAME,NAME     with no others
  --mutant NAME        with a guard taken away: ${mutantNames.join(', ')}
  --servers 1|2        servers in each world, instead of what the seed says
  --workers N          processes (2)
  --tell               says all that happens
`;

export function readArguments(words: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      steps: { type: 'string', default: String(stepsDefault) },
      only: { type: 'string' },
      off: { type: 'string', default: '' },
      mutant: { type: 'string' },
      servers: { type: 'string' },
      workers: { type: 'string', default: '2' },
      tell: { type: 'boolean', default: false },
    },
  });
  const only = values.only === undefined ? new Set(faultClasses) : classesOf(values.only);
  return {
    seed: whole('seed', values.seed),
    seeds: whole('seeds', values.seeds),
    steps: whole('steps', values.steps),
    off: new Set([...classesOf(values.off), ...faultClasses.filter((name) => !only.has(name))]),
    mutant: mutantOf(values.mutant),
    tell: values.tell,
    servers: values.servers === '2' ? 2 : values.servers === '1' ? 1 : undefined,
    workers: whole('workers', values.workers),
  };
}

/** The line that runs the same seed again. */
export function replayLine(given: Pick<Arguments, 'seed' | 'steps' | 'off' | 'mutant'> & Partial<Arguments>): string {
  const { seed, steps, off, mutant, servers } = given;
  const on = faultClasses.filter((name) => !off.has(name));
  const some = on.length < off.size ? ` --only ${on.join(',') || 'none'}` : ` --off ${[...off].join(',')}`;
  const without = off.size === 0 ? '' : some;
  return `npm run simulate -- --seed ${seed} --steps ${steps}${without}${mutant === null ? '' : ` --mutant ${mutant}`}${servers === undefined ? '' : ` --servers ${servers}`}`;
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} must be a whole number, not "${text}"`);
  return value;
}

function classesOf(text: string): Set<FaultClass> {
  const names = text.split(',').filter((name) => name !== '' && name !== 'none');
  const unknown = names.find((name) => !faultClasses.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`no fault class "${unknown}": there are ${faultClasses.join(', ')}`);
  return new Set(faultClasses.filter((name) => names.includes(name)));
}

function mutantOf(text: string | undefined): MutantName | null {
  if (text === undefined) return null;
  const found = mutantNames.find((name) => name === text);
  if (found === undefined) throw new Error(`no mutant "${text}": there are ${mutantNames.join(', ')}`);
  return found;
}
