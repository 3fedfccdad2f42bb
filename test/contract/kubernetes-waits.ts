/** What pods wait for, and what is told of them meanwhile. */
import assert from 'node:assert/strict';
import type { V1ContainerStatus } from '@kubernetes/client-node';
import {
  conditionsOf,
  create,
  follow,
  podOf,
  statusOf,
  until,
  untilAsked,
  untilPod,
  untilReady,
  type Given,
  type Use,
} from './kubernetes-suite.ts';

export function waits(use: Use): void {
  const absent = async (given: Given, name: string, container: object, reason: string): Promise<V1ContainerStatus> => {
    await create(given, podOf(name, container));
    const pod = await untilPod(given, name, (pod) => statusOf(pod)?.state?.waiting?.reason === reason);
    assert.equal(pod.status?.phase, 'Pending');
    const found = statusOf(pod);
    assert.ok(found);
    return found;
  };

  use('an image that is not on the machine, and is not to be pulled, is waited for', async (given) => {
    const image = 'nothing-of-the-kind:local';
    const { state, imageID, started } = await absent(given, 'never', { image }, 'ErrImageNeverPull');
    assert.equal(state?.waiting?.message, `Container image "${image}" is not present with pull policy of Never`);
    assert.deepEqual([imageID, started], ['', false]);
  });

  use('an image that cannot be pulled is tried again, ever more rarely', async (given) => {
    const image = 'localhost:1/nothing:local';
    const container = { image, imagePullPolicy: 'IfNotPresent' };
    const { state } = await absent(given, 'backoff', container, 'ImagePullBackOff');
    assert.match(
      state?.waiting?.message ?? '',
      /^Back-off pulling image "localhost:1\/nothing:local": ErrImagePull: failed to pull and unpack image "localhost:1\/nothing:local": failed to resolve reference/,
    );
  });

  use('a name that is none of an image is told as that', async (given) => {
    const { state } = await absent(given, 'misnamed', { image: 'Bad//Name:' }, 'InvalidImageName');
    assert.match(
      state?.waiting?.message ?? '',
      /^Failed to apply default image tag "Bad\/\/Name:": couldn't parse image name "Bad\/\/Name:": invalid reference format/,
    );
  });

  use('what becomes of a pod is told step by step', async (given) => {
    const watch = await follow(given, { labelSelector: 'pod=steps' });
    await create(given, podOf('steps', { command: untilAsked('exit 0') }));
    await watch.until('it to run', ({ object }) => object.status?.phase === 'Running');
    await untilReady(given, 'steps');
    await given.api.deleteNamespacedPod({ namespace: given.namespace, name: 'steps' });
    await watch.until('its end', ({ type }) => type === 'DELETED');
    watch.stop();
    const stands = watch.seen.map(({ type, object }) => {
      const { waiting, running, terminated } = statusOf(object)?.state ?? {};
      const state = waiting?.reason ?? (running && 'running') ?? (terminated && 'terminated') ?? 'unknown';
      return `${type} ${object.status?.phase} ${state}`;
    });
    const steps = [
      'ADDED Pending unknown',
      'MODIFIED Pending unknown',
      'MODIFIED Pending ContainerCreating',
      'MODIFIED Running running',
      'MODIFIED Running terminated',
      'MODIFIED Succeeded terminated',
      'DELETED Succeeded terminated',
    ];
    // Which steps are told depends on who is how fast, but not their order.
    const seen = new Set(stands);
    assert.deepEqual(
      [...seen],
      steps.filter((step) => seen.has(step)),
    );
    assert.deepEqual([stands[0], stands.at(-1)], [steps[0], steps.at(-1)]);
    const scheduled = watch.seen.find(({ object }) => conditionsOf(object)['PodScheduled'] === 'True');
    assert.ok(scheduled?.object.spec?.nodeName);
  });
}

export function events(use: Use): void {
  const told = async ({ api, namespace }: Given, name: string): Promise<readonly string[]> => {
    const { items } = await api.listNamespacedEvent({ namespace, fieldSelector: `involvedObject.name=${name}` });
    // Of this cluster alone, which has no DNS.
    const ours = items.filter(({ reason }) => reason !== 'MissingClusterDNS');
    return ours.map(({ type, reason, message, involvedObject }) =>
      [type, reason, involvedObject.fieldPath ?? '-', message].join(' '),
    );
  };

  use('what befalls a pod is told in events', async (given) => {
    const { namespace } = given;
    await create(given, podOf('told', { command: untilAsked('exit 0') }));
    const { spec } = await untilPod(given, 'told', ({ status }) => status?.phase === 'Running');
    const expected = [
      `Normal Scheduled - Successfully assigned ${namespace}/told to ${spec?.nodeName}`,
      'Normal Pulled spec.containers{main} Container image "busybox:local" already present on machine',
      'Normal Created spec.containers{main} Created container: main',
      'Normal Started spec.containers{main} Started container main',
    ];
    for (const line of expected) await untilTold(given, 'told', line);
    // A busy node tells of more.
    const lines = await told(given, 'told');
    assert.deepEqual(
      lines.filter((line) => expected.includes(line)),
      expected,
    );
    await given.api.deleteNamespacedPod({ namespace, name: 'told' });
    const killing = 'Normal Killing spec.containers{main} Stopping container main';
    await untilTold(given, 'told', killing);
  });

  use('events of a pod can be asked for by its uid, and tell its trouble with images', async (given) => {
    const { api, namespace } = given;
    const pod = await create(given, podOf('trouble', { image: 'nothing-of-the-kind:local' }));
    await untilTold(given, 'trouble', 'Warning Failed spec.containers{main} Error: ErrImageNeverPull');
    const fieldSelector = `involvedObject.uid=${pod.metadata?.uid}`;
    const { items } = await api.listNamespacedEvent({ namespace, fieldSelector });
    assert.ok(items.some(({ reason }) => reason === 'ErrImageNeverPull'));
    assert.deepEqual([...new Set(items.map(({ involvedObject }) => involvedObject.name))], ['trouble']);
  });

  async function untilTold(given: Given, name: string, line: string): Promise<void> {
    await until(line, async () => ((await told(given, name)).includes(line) ? true : null));
  }
}
