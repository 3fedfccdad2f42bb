import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quotaFinding, type ResourceQuota } from '../../../src/executor/kubernetes/quotas.ts';

function quota(hard: Record<string, string>, used: Record<string, string>): ResourceQuota {
  return { metadata: { name: 'compute' }, spec: { hard }, status: { hard, used } };
}

const cases: readonly (readonly [what: string, quotas: readonly ResourceQuota[], state: string, message: string])[] = [
  ['no quota', [], 'ok', 'No quota limits the namespace.'],
  [
    'room in a quota of pods',
    [quota({ pods: '10', services: '2' }, { pods: '9', services: '2' })],
    'ok',
    'There is room in compute.',
  ],
  [
    'a quota that demands words of each pod',
    [quota({ 'requests.cpu': '4', 'limits.memory': '8Gi' }, { 'requests.cpu': '3500m', 'limits.memory': '7Gi' })],
    'ok',
    'There is room in compute; each pod has to say its requests.cpu, limits.memory.',
  ],
  [
    'memory that is used up, in other words',
    [quota({ 'limits.memory': '8Gi' }, { 'limits.memory': '8192Mi' })],
    'wrong',
    'Nothing is left of quota compute: 8192Mi of 8Gi limits.memory are taken.',
  ],
  [
    'pods that are used up',
    [quota({ 'count/pods': '1e1' }, { 'count/pods': '10' })],
    'wrong',
    'Nothing is left of quota compute: 10 of 1e1 count/pods are taken.',
  ],
  ['a quota that nobody has counted yet', [{ metadata: { name: 'new' } }], 'ok', 'There is room in new.'],
];

for (const [what, quotas, state, message] of cases) {
  test(`${what} is ${state}`, () => {
    const found = quotaFinding(quotas);
    assert.deepEqual([found.state, found.message], [state, message]);
  });
}
