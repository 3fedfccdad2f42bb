/** What the quotas of a namespace leave, and what they demand of each pod; pure. */
import type { V1ResourceQuota } from '@kubernetes/client-node';
import { ok, wrong, type Finding } from './finding.ts';
import { amountOf } from '../../std/quantity.ts';

export type ResourceQuota = Pick<V1ResourceQuota, 'metadata' | 'spec' | 'status'>;

/** Of these a pod takes something, and whoever limits them demands that each pod says how much (not of the number of pods). */
const counted = ['pods', 'count/pods'];
const demanded = /^((requests|limits)\.)?(cpu|memory|ephemeral-storage)$/;

export function quotaFinding(quotas: readonly ResourceQuota[]): Finding {
  const full = quotas.flatMap(usedUpIn);
  if (full.length > 0) {
    const help = 'Raise it, or end what takes it: until then the pods of steps wait.';
    return wrong('quotas', `Nothing is left of ${full.join(', ')}.`, help);
  }
  if (quotas.length === 0) return ok('quotas', 'No quota limits the namespace.');
  const names = quotas.map(nameOf).join(', ');
  const demands = [...new Set(quotas.flatMap(({ spec }) => Object.keys(spec?.hard ?? {})))].filter((key) =>
    demanded.test(key),
  );
  if (demands.length === 0) return ok('quotas', `There is room in ${names}.`);
  return ok('quotas', `There is room in ${names}; each pod has to say its ${demands.join(', ')}.`);
}

function usedUpIn(quota: ResourceQuota): readonly string[] {
  const { hard = {}, used = {} } = quota.status ?? {};
  return Object.entries(hard).flatMap(([key, most]) => {
    const taken = used[key];
    if (taken === undefined || !(counted.includes(key) || demanded.test(key))) return [];
    return amountOf(taken) < amountOf(most) ? [] : [`quota ${nameOf(quota)}: ${taken} of ${most} ${key} are taken`];
  });
}

function nameOf({ metadata }: ResourceQuota): string {
  return metadata?.name ?? '';
}
