/** The evenings as the file has them, and as the network wants them. */
import { readFile } from 'node:fs/promises';

export interface Row {
  readonly finished: 0 | 1;
  /** About -1 to 1 each. */
  readonly values: readonly number[];
}

/** To fit the weights, to choose among the fits, and to judge the choice. */
export interface Table {
  readonly training: readonly Row[];
  readonly validation: readonly Row[];
  readonly holdout: readonly Row[];
}

/** Every evening with its number, so that a row stays in its part whatever is added to the file. */
export async function readEvenings(path: string): Promise<readonly (Row & { readonly evening: number })[]> {
  const [, ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => {
    const [evening = 0, start = 0, minutes = 0, match = 0, before = 0, finished = 0] = line.split(',').map(Number);
    const values = [(start - 20.5) / 3.5, (minutes - 125) / 65, 2 * match - 1, 2 * before - 1];
    return { evening, finished: finished === 1 ? 1 : 0, values };
  });
}

export function split(rows: readonly (Row & { readonly evening: number })[]): Table {
  const part = (from: number, to: number): readonly Row[] =>
    rows
      .filter(({ evening }) => evening % 20 >= from && evening % 20 < to)
      .map(({ finished, values }) => ({ finished, values }));
  return { training: part(9, 20), validation: part(6, 9), holdout: part(0, 6) };
}
