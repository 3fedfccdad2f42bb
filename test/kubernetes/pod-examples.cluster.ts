/** A namespace that holds pods to the profile `restricted`, on a real cluster: what docs/pods.md shows (`dryRun`), and steps. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiError, createApi } from '../../src/executor/kubernetes/api.ts';
import { run } from '../cluster/command.ts';
import { podsOfExamples } from '../docs/pod-examples.ts';
import { podSettings } from '../executor/kubernetes/pod-settings.ts';
import { openHarbour } from '../executor/kubernetes/harbour.ts';
import { said } from '../executor/kubernetes/under-faults.ts';
import { boxed, command } from '../executor/workshop.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { asGiven, runnerImage, settingsIn } from './settings.ts';

let namespace: Namespace;

before(async () => {
  namespace = await makeNamespace();
  await run('kubectl', ['label', 'namespace', namespace.name, 'pod-security.kubernetes.io/enforce=restricted']);
  // What the examples name.
  await namespace.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'trainer' } });
  await run('kubectl', ['apply', '--filename=-'], {
    input: JSON.stringify({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'batch' },
      value: 1000,
    }),
  });
});

after(async () => {
  await namespace.remove();
  await run('kubectl', ['delete', 'priorityclass', 'batch', '--ignore-not-found']);
});

/** By nature: what they ask for is what the profile is there to refuse. */
const unrestricted: Readonly<Record<string, RegExp>> = {
  'patched/train': /violates PodSecurity "restricted:latest": host namespaces \(hostNetwork=true\), .*"IPC_LOCK"/,
};

test('the cluster takes the pod of each example, at its first try and with memory that has grown', async () => {
  const api = createApi(asGiven);
  const path = `/api/v1/namespaces/${namespace.name}/pods`;
  const pods = await podsOfExamples({ ...podSettings, namespace: namespace.name });
  assert.ok(pods.some(({ attempt }) => attempt === 2));
  for (const { step, attempt, pod } of pods) {
    // Some name a namespace of their own.
    if (pod.metadata !== undefined) pod.metadata.namespace = namespace.name;
    const answer = await api
      .request('POST', path, { query: { dryRun: 'All' }, body: pod })
      .then(() => 'taken')
      .catch((error: unknown) => (error instanceof ApiError ? error.message : Promise.reject(error)));
    assert.match(answer, unrestricted[step] ?? /^taken$/, `${step}, attempt ${attempt}`);
  }
});

test('steps run there, and one whose pod asks for more is refused in the words of the cluster, with what to do', async (t) => {
  const harbour = await openHarbour(settingsIn(namespace.name));
  t.after(() => harbour.close());
  const sidecar = { name: 'beside', image: runnerImage, command: ['true'], securityContext: { privileged: true } };
  const ends = await Promise.all([
    harbour.run(command('true')),
    harbour.run(boxed(runnerImage, 'true')),
    harbour.run(command('true'), { pod: { sidecars: [sidecar] } }),
  ]);
  const [step, container, refused = ''] = ends.map(said);
  assert.deepEqual([step, container], ['succeeded', 'succeeded']);
  assert.match(
    refused,
    /^invalid: the cluster refused its pod \(Forbidden\): .*violates PodSecurity "restricted:latest"/,
  );
  assert.match(
    refused,
    /: privileged \(container "beside" must not .*label the namespace with a level that allows it\.$/,
  );
});
