/** Amounts as Kubernetes writes them: `500m`, `2Gi`, `1e3`. */
import { unitBytes } from './bytes.ts';

const scales: Readonly<Record<string, number>> = { ...unitBytes, n: 1e-9, u: 1e-6, m: 1e-3, E: 1e18, Ei: 2 ** 60 };

/** NaN for what is none. */
export function amountOf(quantity: string): number {
  const [, number = '', suffix = ''] = /^([-+.\d]+(?:[eE][-+]?\d+)?)([A-Za-z]*)$/.exec(quantity) ?? [];
  return number === '' ? Number.NaN : Number(number) * (scales[suffix] ?? Number.NaN);
}
