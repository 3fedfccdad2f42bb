/** What pods read from secrets and config maps. */
import assert from 'node:assert/strict';
import type { V1ContainerStateWaiting, V1Pod } from '@kubernetes/client-node';
import {
  create,
  isOver,
  podOf,
  refusalOf,
  statusOf,
  until,
  untilPod,
  type Given,
  type Use,
} from './kubernetes-suite.ts';

async function makeSecret({ api, namespace }: Given, name: string, more: object = {}): Promise<void> {
  const stringData = { token: 'abc', other: 'x y' };
  await api.createNamespacedSecret({ namespace, body: { metadata: { name, ...more }, stringData } });
}

export function configuration(use: Use): void {
  use('a secret is made once, is read, and can be taken away', async (given) => {
    const { api, namespace } = given;
    await makeSecret(given, 'kept');
    assert.equal((await refusalOf(makeSecret(given, 'kept'))).code, 409);
    const { data, type } = await api.readNamespacedSecret({ namespace, name: 'kept' });
    assert.deepEqual([data, type], [{ token: 'YWJj', other: 'eCB5' }, 'Opaque']);
    await api.deleteNamespacedSecret({ namespace, name: 'kept' });
    const message = 'secrets "kept" not found';
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: 'NotFound' };
    assert.deepEqual(await refusalOf(api.readNamespacedSecret({ namespace, name: 'kept' })), {
      code: 404,
      status: { ...status, details: { name: 'kept', kind: 'secrets' }, code: 404 },
    });
  });

  use('a container has them in its environment and as files', async (given) => {
    const { api, namespace } = given;
    await makeSecret(given, 'given');
    const data = { plain: '1', over: 'no' };
    await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'given' }, data } });
    const optional = { name: 'nobody', key: 'k', optional: true };
    const container = {
      command: [
        'sh',
        '-c',
        'echo $P_token $plain $over [$NONE] $TOKEN; cat /secret-files/token /config-files/deep/file; echo',
      ],
      envFrom: [
        { configMapRef: { name: 'given' } },
        { prefix: 'P_', secretRef: { name: 'given' } },
        { secretRef: { name: 'nobody', optional: true } },
      ],
      env: [
        { name: 'over', value: 'yes' },
        { name: 'NONE', valueFrom: { secretKeyRef: optional } },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'given', key: 'token' } } },
      ],
      volumeMounts: [
        { name: 'secret', mountPath: '/secret-files' },
        { name: 'config', mountPath: '/config-files' },
      ],
    };
    const volumes = [
      { name: 'secret', secret: { secretName: 'given' } },
      { name: 'config', configMap: { name: 'given', items: [{ key: 'plain', path: 'deep/file' }] } },
    ];
    await create(given, podOf('reader', container, { volumes }));
    await untilPod(given, 'reader', isOver);
    assert.equal(await api.readNamespacedPodLog({ namespace, name: 'reader' }), 'abc 1 yes [] abc\nabc1\n');
  });

  use('a container waits for a secret, and begins when it is there', async (given) => {
    const env = [{ name: 'T', valueFrom: { secretKeyRef: { name: 'later', key: 'token' } } }];
    await create(given, podOf('waiter', { command: ['sh', '-c', 'echo $T'], env }));
    const waitingOf = (pod: V1Pod): V1ContainerStateWaiting | undefined => statusOf(pod)?.state?.waiting;
    // A busy kubelet may say first that it does not know yet: it gives its own look at a secret one second.
    const pod = await untilPod(given, 'waiter', (pod) => waitingOf(pod)?.message === 'secret "later" not found');
    assert.equal(waitingOf(pod)?.reason, 'CreateContainerConfigError');
    assert.equal(pod.status?.phase, 'Pending');
    await makeSecret(given, 'later');
    assert.equal((await untilPod(given, 'waiter', isOver)).status?.phase, 'Succeeded');
  });

  use('a key that a secret does not have is waited for', async (given) => {
    const { api, namespace } = given;
    await makeSecret(given, 'keyless');
    const env = [{ name: 'T', valueFrom: { secretKeyRef: { name: 'keyless', key: 'k' } } }];
    await create(given, podOf('key-waiter', { command: ['true'], env }));
    const told = `couldn't find key k in Secret ${namespace}/keyless`;
    await untilPod(given, 'key-waiter', (pod) => statusOf(pod)?.state?.waiting?.message === told);
    await api.deleteNamespacedPod({ namespace, name: 'key-waiter' });
  });

  use('a volume of a secret that there is not keeps the pod from beginning, and is told in an event', async (given) => {
    const { api, namespace } = given;
    const volumeMounts = [{ name: 'files', mountPath: '/missing-files' }];
    const volumes = [{ name: 'files', secret: { secretName: 'nothing' } }];
    await create(given, podOf('unmounted', { command: ['true'], volumeMounts }, { volumes }));
    const fieldSelector = 'involvedObject.name=unmounted';
    const told = 'MountVolume.SetUp failed for volume "files" : secret "nothing" not found';
    await until(told, async () => {
      const { items } = await api.listNamespacedEvent({ namespace, fieldSelector });
      return items.some(({ reason, message }) => reason === 'FailedMount' && message === told) ? true : null;
    });
    const { status } = await api.readNamespacedPod({ namespace, name: 'unmounted' });
    assert.equal(status?.containerStatuses?.[0]?.state?.waiting?.reason, 'ContainerCreating');
    await api.deleteNamespacedPod({ namespace, name: 'unmounted' });
  });

  use('a secret that belongs to a pod goes with it', async (given) => {
    const { api, namespace } = given;
    const { metadata } = await create(given, podOf('owner', { command: ['true'] }));
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'owner', uid: metadata?.uid };
    await makeSecret(given, 'owned', { ownerReferences: [owner] });
    await untilPod(given, 'owner', isOver);
    await api.deleteNamespacedPod({ namespace, name: 'owner' });
    await until('the secret to go', async () => {
      const { items } = await api.listNamespacedSecret({ namespace });
      return items.some((secret) => secret.metadata?.name === 'owned') ? null : true;
    });
  });
}
