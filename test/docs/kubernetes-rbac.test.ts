/** The account of docs/kubernetes-rbac.yaml may do what the executor needs, and nothing more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neededRights } from '../../src/executor/kubernetes/rights.ts';
import { accessManifests } from './kubernetes-rbac.ts';

const [account, role, binding, ...others] = accessManifests();

test('docs/kubernetes-rbac.yaml is an account, a role, and what binds them, of whatever namespace', () => {
  const kinds = [account, role, binding].map((each) => each?.kind);
  assert.deepEqual([kinds, others.length], [['ServiceAccount', 'Role', 'RoleBinding'], 0]);
  for (const each of [account, role, binding]) assert.deepEqual(each?.metadata, { name: 'contender' });
  assert.deepEqual(binding?.roleRef, { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'contender' });
  assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: 'contender' }]);
});

test('the rules of docs/kubernetes-rbac.yaml are those that the executor needs, and that a check asks for', () => {
  assert.deepEqual(role?.rules, neededRights);
});
