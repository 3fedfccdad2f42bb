/** Amounts as Kubernetes writes them: `500m`, `2Gi`, `1e3`. */
import { unitBytes } from './bytes.ts';

const scales: Readonly<Record<string, number>> = { ...unitBytes, n: 1e-9, u: 1e-6, m: 1e-3, E: 1e18, Ei: 2 ** 60 };

/** NaN for what is none. */
export function amountOf(quantity: string): number {
  const [, number = '', suffix = ''] = /^([-+.\d]+(?:[eE][-+]?\d+)?)([A-Za-z]*)$/.exec(quantity) ?? [];
  return number === '' ? Number.NaN : Number(number) * (scales[suffix] ?? Number.NaN);
}

/** Whether it is given out in whole pieces, of which a pod gets just as many as it may have. */
export function isCounted(resource: string): boolean {
  return resource.includes('/') || resource.startsWith('hugepages-');
}

/** Whether Kubernetes refuses the request beside this limit. An amount that is none is neither too much nor too little. */
export function isRefusedRequest(resource: string, requested: string, limit: string): boolean {
  const [amount, most] = [amountOf(requested), amountOf(limit)];
  return amount > most || (isCounted(resource) && amount < most);
}

/** What to do about it. */
export function requestHelp(resource: string): string {
  return isCounted(resource)
    ? `Give the limit alone: of ${resource} a pod gets just what its limit says.`
    : 'Request less, or raise the limit.';
}
