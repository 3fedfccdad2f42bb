/** What the product relies on in a Kubernetes, seen in the real one that these tests run on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { makeNamespace, podOf, type Namespace } from './namespace.ts';

let namespace: Namespace;

before(async () => {
  namespace = await makeNamespace();
});

after(() => namespace.remove());

test('a pod that ends well has succeeded, and its log can be read', async () => {
  await namespace.create(podOf('hello', { command: ['sh', '-c', 'echo hello from $HOSTNAME'] }));
  await namespace.waitFor('pod/hello', '{.status.phase}', 'Succeeded');
  assert.equal(await namespace.logOf('hello'), 'hello from hello\n');
});

test('a container that takes more memory than its limit is ended as OOMKilled', async () => {
  const memory = { requests: { memory: '32Mi' }, limits: { memory: '32Mi' } };
  // Of one that is killed just after its start, containerd may lose the reason.
  const command = ['sh', '-c', 'sleep 2; exec tail -c 1000m /dev/zero'];
  await namespace.create(podOf('greedy', { command, resources: memory }));
  await namespace.waitFor('pod/greedy', '{.status.phase}', 'Failed');
  const terminated = '{.status.containerStatuses[0].state.terminated.reason}';
  assert.equal(await namespace.read('pod/greedy', terminated), 'OOMKilled');
});

test('a pod that fits on no node waits, and says that it is unschedulable', async () => {
  await namespace.create(podOf('giant', { command: ['true'], resources: { requests: { cpu: '1000' } } }));
  await namespace.waitFor('pod/giant', '{.status.conditions[?(@.type=="PodScheduled")].reason}', 'Unschedulable');
  assert.equal(await namespace.read('pod/giant', '{.status.phase}'), 'Pending');
});

test('a pod reaches a server on the host by the address of its node', async () => {
  const server = createServer((_, response) => response.end('here is the host')).listen(0, '0.0.0.0');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const url = `http://$(NODE):${address.port}/`;
  const node = { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } };
  try {
    await namespace.create(podOf('visitor', { command: ['wget', '-q', '-O', '-', url], env: [node] }));
    await namespace.waitFor('pod/visitor', '{.status.phase}', 'Succeeded');
    assert.equal(await namespace.logOf('visitor'), 'here is the host');
  } finally {
    server.close();
  }
});

test("the runner's image has Node 24, an ordinary user, and the built product with all that it loads", async () => {
  const script = `
    await import('/app/dist/src/executor/local/local.js');
    await import('/app/dist/runner/attempt.js');
    console.log(process.getuid(), process.version.startsWith('v24.'));
  `;
  const command = ['node', '--input-type=module', '--eval', script];
  await namespace.create(podOf('runner', { image: 'contender-runner:local', command }));
  await namespace.waitFor('pod/runner', '{.status.phase}', 'Succeeded');
  assert.equal(await namespace.logOf('runner'), '1000 true\n');
});

test('a pod that is deleted ends by itself when it is asked, long before its grace is over', async () => {
  const script = 'trap "exit 0" TERM; while true; do sleep 0.1; done';
  await namespace.create(podOf('polite', { command: ['sh', '-c', script] }, { terminationGracePeriodSeconds: 3600 }));
  await namespace.waitFor('pod/polite', '{.status.phase}', 'Running');
  await namespace.remove('pod/polite');
  assert.equal(await namespace.has('pod/polite'), false);
});

test('a pod that does not listen is ended when its grace is over', async () => {
  const script = 'trap "" TERM; while true; do sleep 0.1; done';
  await namespace.create(podOf('deaf', { command: ['sh', '-c', script] }, { terminationGracePeriodSeconds: 1 }));
  await namespace.waitFor('pod/deaf', '{.status.phase}', 'Running');
  await namespace.remove('pod/deaf');
  assert.equal(await namespace.has('pod/deaf'), false);
});
