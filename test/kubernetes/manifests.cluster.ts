/**
 * The manifests of docs/kubernetes on a real cluster, in two namespaces of this file's own in the place of theirs. The cluster takes
 * each of them by all that it knows (nothing is made of most: a dry run), and what the account may do is asked of it.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { attempt, run } from '../cluster/command.ts';
import { allOf, manifestFiles, manifestsOf, oneOf, severalServers } from '../docs/kubernetes-manifests.ts';
import { makeNamespace, type Namespace } from './namespace.ts';

let server: Namespace;
let pods: Namespace;

before(async () => {
  [server, pods] = await Promise.all([makeNamespace(), makeNamespace()]);
  for (const { metadata } of allOf('namespaces', 'Namespace')) {
    const labels = Object.entries(metadata?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
    await run('kubectl', ['label', `namespace/${namesHere(metadata?.name ?? '')}`, ...labels]);
  }
  await apply(manifestsOf('access'));
});

after(() => Promise.all([server.remove(), pods.remove()]));

function namesHere(namespace: string): string {
  return { contender: server.name, training: pods.name }[namespace] ?? namespace;
}

/** With the namespaces of this file wherever one is named. */
function moved(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, inner: unknown) =>
    ['namespace', 'kubernetes.io/metadata.name'].includes(key) && typeof inner === 'string' ? namesHere(inner) : inner,
  );
}

function withoutSecurity(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, inner: unknown) => (key === 'securityContext' ? undefined : inner));
}

async function apply(manifests: readonly object[], ...words: readonly string[]): Promise<string> {
  const items = manifests.map(moved);
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  return run('kubectl', ['apply', '--validate=strict', ...words, '--filename=-'], { input });
}

async function may(verb: string, what: string, namespace: Namespace): Promise<boolean> {
  const [resource = '', subresource = ''] = what.split('/');
  const account = `system:serviceaccount:${server.name}:contender`;
  const words = [
    'auth',
    'can-i',
    verb,
    resource,
    `--subresource=${subresource}`,
    '--namespace',
    namespace.name,
    '--as',
    account,
  ];
  return (await attempt('kubectl', words)).status === 0;
}

for (const file of manifestFiles()) {
  test(`the cluster takes ${file}.yaml as it stands`, async () => {
    const said = await apply(manifestsOf(file), '--dry-run=server');
    assert.equal(said.trim().split('\n').length, manifestsOf(file).length, said);
  });
}

for (const file of ['server', severalServers]) {
  test(`the pod of ${file}.yaml is taken where none may be more than restricted`, async () => {
    const { metadata, spec } = oneOf(file, 'Deployment').spec?.template ?? {};
    const named = { name: 'server', namespace: 'contender', labels: metadata?.labels };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: named, spec };
    await apply([pod], '--dry-run=server');
    const rooted = { ...pod, spec: withoutSecurity(spec) };
    await assert.rejects(apply([rooted], '--dry-run=server'), /violates PodSecurity "restricted/);
  });
}

test('the account of the server handles pods where those of steps are, and nothing where the server is', async () => {
  for (const verb of ['create', 'get', 'list', 'watch', 'delete']) assert.ok(await may(verb, 'pods', pods), verb);
  assert.ok(await may('get', 'pods/log', pods));
  assert.ok(await may('list', 'events', pods));
  for (const namespace of [pods, server]) {
    assert.equal(await may('get', 'secrets', namespace), false);
    assert.equal(await may('create', 'pods/exec', namespace), false);
  }
  assert.equal(await may('create', 'pods', server), false);
});
