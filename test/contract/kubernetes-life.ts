/** How pods live and end. */
import assert from 'node:assert/strict';
import type { V1Pod } from '@kubernetes/client-node';
import {
  busybox,
  conditionsOf,
  create,
  follow,
  isOver,
  podOf,
  podWith,
  statusOf,
  untilAsked,
  untilPod,
  untilReady,
  type Given,
  type Use,
} from './kubernetes-suite.ts';

/** Without what is of this time alone. */
function endOf(pod: V1Pod, name = 'main'): object {
  const { exitCode, reason, message } = statusOf(pod, name)?.state?.terminated ?? {};
  return { phase: pod.status?.phase, exitCode, reason, ...(message === undefined ? {} : { message }) };
}

async function runToEnd(given: Given, pod: V1Pod): Promise<V1Pod> {
  await create(given, pod);
  return untilPod(given, pod.metadata?.name ?? '', isOver);
}

export function ends(use: Use): void {
  use('a pod that ends well has succeeded', async (given) => {
    const pod = await runToEnd(given, podOf('well', { command: ['true'] }));
    assert.deepEqual(endOf(pod), { phase: 'Succeeded', exitCode: 0, reason: 'Completed' });
    assert.deepEqual(conditionsOf(pod), {
      PodReadyToStartContainers: 'False',
      Initialized: 'True PodCompleted',
      Ready: 'False PodCompleted',
      ContainersReady: 'False PodCompleted',
      PodScheduled: 'True',
    });
    const { started, ready, restartCount, containerID, state } = statusOf(pod) ?? {};
    assert.deepEqual({ started, ready, restartCount }, { started: false, ready: false, restartCount: 0 });
    assert.match(containerID ?? '', /^containerd:\/\/[0-9a-f]{64}$/);
    assert.equal(state?.terminated?.containerID, containerID);
  });

  use('a pod that ends badly has failed, with its exit code and its last words', async (given) => {
    const command = ['sh', '-c', 'printf "no data" > /dev/termination-log; exit 3'];
    const pod = await runToEnd(given, podOf('badly', { command }));
    assert.deepEqual(endOf(pod), { phase: 'Failed', exitCode: 3, reason: 'Error', message: 'no data' });
    const { Ready, ContainersReady, Initialized } = conditionsOf(pod);
    assert.deepEqual([Ready, ContainersReady, Initialized], ['False PodFailed', 'False PodFailed', 'True']);
    assert.deepEqual([pod.status?.reason, pod.status?.message], [undefined, undefined]);
  });

  use('of last words the last 4096 bytes are kept', async (given) => {
    const command = [
      'sh',
      '-c',
      'head -c 5000 /dev/zero | tr "\\0" a > /dev/termination-log; printf z >> /dev/termination-log',
    ];
    const pod = await runToEnd(given, podOf('wordy', { command }));
    assert.equal(statusOf(pod)?.state?.terminated?.message, `${'a'.repeat(4095)}z`);
  });

  use('where a pod wants it, the end of the log of a failure stands for last words', async (given) => {
    const command = ['sh', '-c', 'echo it broke; exit 1'];
    const terminationMessagePolicy = 'FallbackToLogsOnError';
    const pod = await runToEnd(given, podOf('fallback', { command, terminationMessagePolicy }));
    assert.equal(statusOf(pod)?.state?.terminated?.message, 'it broke\n');
  });

  use('a program that there is not cannot be started', async (given) => {
    const pod = await runToEnd(given, podOf('nothing', { command: ['/nonesuch'] }));
    const runc = 'OCI runtime create failed: runc create failed: unable to start container process';
    const cause = 'exec: "/nonesuch": stat /nonesuch: no such file or directory: unknown';
    const message = `failed to create containerd task: failed to create shim task: ${runc}: ${cause}`;
    assert.deepEqual(endOf(pod), { phase: 'Failed', exitCode: 128, reason: 'StartError', message });
  });

  use('a container that is killed by a signal has 128 and its number', async (given) => {
    const command = ['sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?'];
    const pod = await runToEnd(given, podOf('signalled', { command }));
    assert.deepEqual(endOf(pod), { phase: 'Failed', exitCode: 137, reason: 'Error' });
  });

  use('a deadline ends it with the reason', async (given) => {
    const more = { activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 1 };
    const { status } = await runToEnd(given, podOf('late', { command: ['sleep', '1000'] }, more));
    const { phase, reason, message } = status ?? {};
    assert.deepEqual([phase, reason], ['Failed', 'DeadlineExceeded']);
    assert.equal(message, 'Pod was active on the node longer than the specified deadline');
  });
}

export function several(use: Use): void {
  use('one container that has failed lets the others run, and the pod fails after them', async (given) => {
    const containers = [
      { name: 'long', command: untilAsked('exit 0') },
      { name: 'short', command: ['false'] },
    ];
    const watch = await follow(given, { labelSelector: 'pod=several' });
    await create(given, podWith('several', containers));
    const between = await untilPod(given, 'several', (pod) => {
      const [short, long] = [statusOf(pod, 'short')?.state, statusOf(pod, 'long')?.state];
      return short?.terminated !== undefined && long?.running !== undefined;
    });
    assert.equal(between.status?.phase, 'Running');
    assert.equal(conditionsOf(between)['Ready'], 'False ContainersNotReady containers with unready status: [short]');
    await untilReady(given, 'several', 'long');
    await given.api.deleteNamespacedPod({ namespace: given.namespace, name: 'several' });
    const { object: pod } = await watch.until('its end', ({ type }) => type === 'DELETED');
    watch.stop();
    assert.deepEqual(endOf(pod, 'long'), { phase: 'Failed', exitCode: 0, reason: 'Completed' });
    assert.deepEqual(endOf(pod, 'short'), { phase: 'Failed', exitCode: 1, reason: 'Error' });
  });

  use('an init container that fails keeps the others from beginning', async (given) => {
    const initContainers = [busybox({ name: 'first', command: ['sh', '-c', 'exit 4'] })];
    const pod = await runToEnd(given, podOf('uninitialized', { command: ['true'] }, { initContainers }));
    assert.deepEqual(endOf(pod, 'first'), { phase: 'Failed', exitCode: 4, reason: 'Error' });
    assert.equal(statusOf(pod)?.state?.waiting?.reason, 'PodInitializing');
    const told = 'False ContainersNotInitialized containers with incomplete status: [first]';
    assert.equal(conditionsOf(pod)['Initialized'], told);
  });

  use('a sidecar runs before and beside the others', async (given) => {
    const initContainers = [
      busybox({ name: 'side', restartPolicy: 'Always', command: untilAsked('exit 0') }),
      busybox({ name: 'init', command: untilAsked('exit 0') }),
    ];
    await create(given, podOf('accompanied', { command: ['true'] }, { initContainers }));
    const pod = await untilPod(given, 'accompanied', (pod) => statusOf(pod, 'init')?.state?.running !== undefined);
    assert.equal(pod.status?.phase, 'Pending');
    assert.ok(statusOf(pod, 'side')?.state?.running);
    assert.equal(statusOf(pod)?.state?.waiting?.reason, 'PodInitializing');
    await given.api.deleteNamespacedPod({ namespace: given.namespace, name: 'accompanied' });
  });

  use('a sidecar is ended after the others, and its exit code counts for nothing', async (given) => {
    const volumeMounts = [{ name: 'work', mountPath: '/side-work' }];
    const script = `trap 'exit 9' TERM; echo ready > /side-work/ready; while true; do sleep 0.05; done`;
    const side = busybox({ name: 'side', restartPolicy: 'Always', command: ['sh', '-c', script], volumeMounts });
    // As soon as the sidecar has set its trap.
    const command = ['sh', '-c', 'until [ -e /side-work/ready ]; do sleep 0.05; done'];
    const more = { initContainers: [side], volumes: [{ name: 'work', emptyDir: {} }] };
    const pod = await runToEnd(given, podOf('survived', { command, volumeMounts }, more));
    assert.deepEqual(endOf(pod), { phase: 'Succeeded', exitCode: 0, reason: 'Completed' });
    assert.deepEqual(endOf(pod, 'side'), { phase: 'Succeeded', exitCode: 9, reason: 'Error' });
    const [main, sidecar] = [statusOf(pod), statusOf(pod, 'side')].map((one) => one?.state?.terminated?.finishedAt);
    assert.ok(main !== undefined && sidecar !== undefined && sidecar >= main);
  });
}
