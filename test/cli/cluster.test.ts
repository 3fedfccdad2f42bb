import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createAgentServer } from '../../src/server/agent-server.ts';
import { until } from '../executor/workshop.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../support/kubernetes/fake-kubernetes.ts';
import { createProject, type Sandbox } from './sandbox.ts';

let fake: FakeKubernetes;
let agents: FastifyInstance;
let port: string;
let sandbox: Sandbox;

before(async () => {
  fake = await startFakeKubernetes({
    images: { 'runner:1': ({ command = [] }) => ({ command: [process.execPath, ...command.slice(1)] }) },
    namespaces: ['ml', 'research'],
  });
  agents = createAgentServer({ desk: () => null, log: { error: () => undefined } });
  ({ port } = new URL(await agents.listen({ host: '127.0.0.1', port: 0 })));
});
afterEach(() => sandbox.remove());
after(async () => {
  await agents.close();
  await fake.close();
});

function settings(changes: object = {}): string {
  const listen = { host: '127.0.0.1', port: Number(port) };
  const own = { namespace: 'ml', image: 'runner:1', agents: `http://127.0.0.1:${port}/`, listen };
  return JSON.stringify({ executor: { kubernetes: { ...own, kubeconfig: 'kubeconfig.json', ...changes } } });
}

function project(changes: object = {}): Sandbox {
  return createProject({ 'contender.yaml': settings(changes), 'kubeconfig.json': fake.kubeconfig });
}

test('cluster check says one finding a line, and that all is well', async () => {
  sandbox = project();
  const { status, out, err } = await sandbox.run(['cluster', 'check']);
  assert.deepEqual([status, err], [0, '']);
  assert.deepEqual(out.split('\n'), [
    `✓ listen Somebody listens on 127.0.0.1, port ${port} already, which is taken for the server.`,
    '✓ api Kubernetes 1.34.9 answers.',
    '✓ namespace The namespace ml is there.',
    '✓ permissions The account may create pods, get pods, list pods, watch pods, delete pods, get pods/log, list events.',
    '✓ quotas No quota limits the namespace.',
    '✓ step pod The cluster would take the pod of a step.',
    '✓ container pod The cluster would take the pod of a container with its helper.',
    '✓ start A pod of runner:1 starts on node1.',
    `✓ agents A pod reaches the server for agents at http://127.0.0.1:${port}.`,
    '',
  ]);
});

test('cluster check --json is one document, and what is wrong is status 2', async () => {
  sandbox = project({ namespace: 'none' });
  const { status, out, err } = await sandbox.run(['cluster', 'check', '--quick', '--json']);
  assert.deepEqual([status, err], [2, '']);
  assert.deepEqual(JSON.parse(out), [
    { name: 'api', state: 'ok', message: 'Kubernetes 1.34.9 answers.' },
    {
      name: 'namespace',
      state: 'wrong',
      message: 'There is no namespace none.',
      help: 'Make it (kubectl create namespace none), or correct `namespace`, in contender.yaml or in the `pod` that names it.',
    },
  ]);
  const told = await sandbox.run(['cluster', 'check', '--quick']);
  assert.deepEqual([told.status, told.out], [2, '✓ api Kubernetes 1.34.9 answers.\n']);
  assert.match(told.err, /^✗ namespace There is no namespace none\.\n {2}Make it/);
});

test('cluster check looks at what is said of the pods of some repositories, each kind once', async () => {
  const repositories = [
    { url: 'https://github.com/acme/plain' },
    { url: 'https://github.com/acme/one', pod: { namespace: 'research' } },
    { url: 'https://github.com/acme/other', pod: { namespace: 'research' } },
    { url: 'https://github.com/acme/wrong', pod: { namespace: 'none' } },
  ];
  sandbox = createProject({
    'contender.yaml': JSON.stringify({ ...JSON.parse(settings()), repositories }),
    'kubeconfig.json': fake.kubeconfig,
  });
  const { status, out, err } = await sandbox.run(['cluster', 'check', '--quick']);
  assert.equal(status, 2);
  assert.match(err, /^✗ namespace Pods of wrong: There is no namespace none\.\n {2}Make it/);
  assert.match(out, /^✓ namespace The namespace ml is there\.$/m);
  assert.match(out, /^✓ step pod Pods of one, other: The cluster would take the pod of a step\.$/m);
  assert.equal(out.match(/^✓ namespace /gm)?.length, 2);
  assert.equal(out.match(/^✓ api /gm)?.length, 1);
});

test('cluster check looks at the namespace that the pods of some steps are for', async () => {
  sandbox = project({ namespace: 'none' });
  const { status, out, err } = await sandbox.run(['cluster', 'check', '--namespace', 'research']);
  assert.deepEqual([status, err], [0, '']);
  assert.match(out, /^✓ namespace The namespace research is there\.\n[^]*^✓ agents A pod reaches the server/m);
  const wrong = await sandbox.run(['cluster', 'check', '--namespace', 'Research']);
  assert.equal(wrong.status, 2);
  assert.match(wrong.err, /'Research'.*A name of at most 63 lower-case letters/);
});

test('cluster check listens in the place of a server that is not there yet, and says where it cannot', async () => {
  await agents.close();
  sandbox = project();
  const { status, out, err } = await sandbox.run(['cluster', 'check']);
  assert.deepEqual([status, err], [0, '']);
  assert.match(out, /^✓ api [^]*✓ agents A pod reaches the server/);
  sandbox.write({ 'contender.yaml': settings({ listen: { host: '203.0.113.1', port: 8081 } }) });
  const refused = await sandbox.run(['cluster', 'check']);
  assert.equal(refused.status, 2);
  assert.match(refused.err, /^✗ listen Nobody can listen on 203\.0\.113\.1, port 8081: .*EADDRNOTAVAIL/);
});

test('Ctrl-C ends cluster check, and its pod is removed', async () => {
  sandbox = project();
  fake.scheduling.hold();
  const check = sandbox.start(['cluster', 'check']);
  await until('the pod', () => fake.pods().length === 1);
  check.kill('SIGINT');
  assert.equal((await check.ended).status, 130);
  assert.deepEqual(fake.pods(), []);
  fake.scheduling.release();
});

test('without a cluster, or with a pod that Kubernetes does not know, cluster check is a mistake', async () => {
  sandbox = createProject({ 'contender.yaml': 'pools: {}\n' });
  const none = await sandbox.run(['cluster', 'check']);
  assert.deepEqual([none.status, none.out], [2, '']);
  assert.match(none.err, /contender\.yaml names no cluster.* \[cluster-missing\]\n {2}Say where/);
  sandbox.write({ 'contender.yaml': settings({ pod: { tolerations: [{ efect: 'NoSchedule' }], nodeSelecter: {} } }) });
  const wrong = await sandbox.run(['cluster', 'check']);
  assert.equal(wrong.status, 2);
  assert.match(
    wrong.err,
    /contender\.yaml:1:\d+: executor\.kubernetes\.pod\.tolerations\[0\]\.efect: .* \[config-invalid\]/,
  );
  assert.match(wrong.err, /executor\.kubernetes\.pod\.nodeSelecter: .* \[config-invalid\]/);
  const check = await sandbox.run(['check']);
  assert.match(check.err, /contender\.yaml:1:\d+: executor\.kubernetes\.pod\.nodeSelecter: .* \[config-invalid\]/);
});

test('cluster check --help shows examples, here and elsewhere', async () => {
  sandbox = createProject({});
  const { status, out } = await sandbox.run(['cluster', 'check', '--help']);
  assert.equal(status, 0);
  assert.match(out, /Examples:\n {2}\$ contender cluster check\n[^]*\$ contender -C FOLDER cluster check\n/);
});
