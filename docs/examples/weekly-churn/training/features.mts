/** From the extract of the customers to the table that training and evaluation read. */
import { readFile } from 'node:fs/promises';

export interface Row {
  /** To fit the weights, or to judge them. */
  readonly part: 'training' | 'holdout';
  readonly churned: 0 | 1;
  readonly values: { readonly [feature: string]: number };
}

/** What a new model is trained with. A model names its features, so keep those here that the champion still needs. */
export const chosen: readonly string[] = ['tenure', 'charge', 'logins', 'complaints'];

const usualLogins = 12;

export async function readCustomers(path: string): Promise<readonly Row[]> {
  const [head = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const text = (name: string): string => cells[names.indexOf(name)] ?? '';
    return {
      // By the customer's number: whoever is added or taken away, the others stay where they are.
      part: Number(text('customer')) % 10 < 4 ? 'holdout' : 'training',
      churned: text('churned') === '1' ? 1 : 0,
      values: {
        tenure: Number(text('tenure_months')),
        charge: Number(text('monthly_charge')),
        logins: text('logins') === '' ? usualLogins : Number(text('logins')),
        complaints: Number(text('complaints')),
      },
    };
  });
}
