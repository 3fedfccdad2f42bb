/** The account of docs/kubernetes-rbac.yaml may do what the executor needs, and nothing more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neededRights } from '../../src/executor/kubernetes/rights.ts';
import { manifestsOf } from './kubernetes-rbac.ts';

const [account, role, binding, ...others] = manifestsOf('contender');

test('docs/kubernetes-rbac.yaml is an account, a role of one namespace, and what binds them', () => {
  assert.deepEqual(
    [account?.kind, role?.kind, binding?.kind, others.length],
    ['ServiceAccount', 'Role', 'RoleBinding', 0],
  );
  const names = [account, role, binding].map((each) => `${each?.metadata.namespace}/${each?.metadata.name}`);
  assert.deepEqual(new Set(names), new Set(['contender/contender']));
  assert.deepEqual(binding?.roleRef, { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'contender' });
  assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: 'contender', namespace: 'contender' }]);
});

test('the rules of docs/kubernetes-rbac.yaml are those that the executor needs, and that a check asks for', () => {
  assert.deepEqual(role?.rules, neededRights);
});
