/** The reports of strikes as the file has them, and which part of the work each row belongs to. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface Strike {
  readonly airport: string;
  readonly aircraft: string;
  readonly operator: string;
  readonly phase: string;
  readonly size: string;
  readonly species: string;
  readonly time: string;
  /** What the model is to tell: the aircraft was damaged, a little or a lot. */
  readonly damaged: boolean;
  readonly part: Part;
}

/** To fit the weights, to choose among the fits, and to judge the choice. */
export type Part = 'training' | 'validation' | 'holdout';

/** What is known only after the fact (the costs of the repair) is left where it is. */
const columns = {
  airport: 'Airport Name',
  aircraft: 'Aircraft Make Model',
  operator: 'Aircraft Airline Operator',
  phase: 'Phase of flight',
  size: 'Wildlife Size',
  species: 'Wildlife Species',
  time: 'Time of day',
  damage: 'Effect Amount of damage',
} as const;

export async function load(path: string): Promise<readonly Strike[]> {
  const [head = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split(/\r?\n/);
  const names = fields(head);
  const places = new Map(Object.entries(columns).map(([key, name]) => [key, names.indexOf(name)]));
  for (const [key, place] of places) if (place < 0) throw new Error(`${path} has no column for the ${key}`);
  return lines.map((line) => {
    const values = fields(line);
    const value = (key: keyof typeof columns): string => values[places.get(key) ?? -1] ?? '';
    return {
      airport: value('airport'),
      aircraft: value('aircraft'),
      operator: value('operator'),
      phase: value('phase'),
      size: value('size'),
      species: value('species'),
      time: value('time'),
      damaged: value('damage') !== 'None',
      part: partOf(line),
    };
  });
}

/** By the row's own digest: a row stays in its part, whatever is added to the file or moved in it. */
function partOf(line: string): Part {
  const share = createHash('sha256').update(line).digest().readUInt32BE() / 2 ** 32;
  if (share < 0.3) return 'holdout';
  return share < 0.45 ? 'validation' : 'training';
}

/** The fields of one line of CSV; one with a comma stands in quotation marks. */
function fields(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
