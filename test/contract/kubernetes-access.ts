/** What is asked of a cluster before anything is run on it. */
import assert from 'node:assert/strict';
import { AuthorizationV1Api, VersionApi } from '@kubernetes/client-node';
import { create, podOf, refusalOf, until, type Use } from './kubernetes-suite.ts';

export function access(use: Use): void {
  use('whether one may do a thing can be asked', async ({ config, namespace }) => {
    const api = config.makeApiClient(AuthorizationV1Api);
    const spec = { resourceAttributes: { namespace, verb: 'create', resource: 'pods' } };
    const { status } = await api.createSelfSubjectAccessReview({ body: { spec } });
    assert.equal(status?.allowed, true);
    const rules = await api.createSelfSubjectRulesReview({ body: { spec: { namespace } } });
    const ofPods = rules.status?.resourceRules.filter(({ resources = [] }) =>
      resources.some((resource) => resource === '*' || resource === 'pods'),
    );
    assert.ok(ofPods?.some(({ verbs }) => verbs.includes('*') || verbs.includes('create')));
    assert.equal(rules.status?.incomplete, false);
  });

  use('a cluster tells its version, its namespace and what it has of quotas', async ({ config, api, namespace }) => {
    assert.match((await config.makeApiClient(VersionApi).getCode()).gitVersion, /^v1\.\d+\./);
    const { metadata, status } = await api.readNamespace({ name: namespace });
    assert.deepEqual([metadata?.name, status?.phase], [namespace, 'Active']);
    assert.deepEqual((await api.listNamespacedResourceQuota({ namespace })).items, []);
  });
}

export function quotas(use: Use): void {
  use('a quota refuses the pod that is too much, and says what is used of it', async (given) => {
    const { api, namespace } = given;
    const quota = { metadata: { name: 'few' }, spec: { hard: { pods: '0' } } };
    await api.createNamespacedResourceQuota({ namespace, body: quota });
    const used = async (): Promise<string | undefined> => {
      const { items } = await api.listNamespacedResourceQuota({ namespace });
      return items[0]?.status?.used?.['pods'];
    };
    // Pods of others may go meanwhile.
    const { refusal, pods } = await until('a refusal between two equal counts', async () => {
      const before = await used();
      if (before === undefined) return null;
      const answer = await refusalOf(create(given, podOf('too-much', { command: ['true'] })));
      return (await used()) === before ? { refusal: answer, pods: before } : null;
    });
    const numbers = `requested: pods=1, used: pods=${pods}, limited: pods=0`;
    const message = `pods "too-much" is forbidden: exceeded quota: few, ${numbers}`;
    const details = { name: 'too-much', kind: 'pods' };
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message };
    assert.deepEqual(refusal, { code: 403, status: { ...status, reason: 'Forbidden', details, code: 403 } });
    await api.deleteNamespacedResourceQuota({ namespace, name: 'few' });
    // The controllers see it a moment later.
    await until('a pod to be admitted', () =>
      create(given, podOf('not-too-much', { command: ['true'] })).catch(() => null),
    );
  });
}
