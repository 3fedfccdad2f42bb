/** How pods are deleted. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { Log, type V1Pod } from '@kubernetes/client-node';
import {
  conditionsOf,
  create,
  follow,
  isOver,
  podOf,
  refusalOf,
  statusOf,
  until,
  untilAsked,
  untilPod,
  untilReady,
  type Following,
  type Given,
  type Use,
} from './kubernetes-suite.ts';

/** It runs, and has set its trap. */
async function begin(given: Given, name: string, command: string[], more: object = {}): Promise<Following> {
  const watch = await follow(given, { labelSelector: `pod=${name}` });
  await create(given, podOf(name, { command }, more));
  await watch.until(`${name} to run`, ({ object }) => object.status?.phase === 'Running');
  if (!command.includes('sleep')) await untilReady(given, name);
  return watch;
}

const untilGone = (watch: Following): Promise<{ object: V1Pod }> =>
  watch.until('its end', ({ type }) => type === 'DELETED');

/** How it stood at each step from its deletion on, each once. */
function stepsOf({ seen }: Following): readonly string[] {
  const steps = seen
    .filter(({ object }) => object.metadata?.deletionTimestamp !== undefined)
    .map(({ type, object }) => {
      const exitCode = statusOf(object)?.state?.terminated?.exitCode ?? '-';
      return `${type} ${object.metadata?.deletionGracePeriodSeconds} ${object.status?.phase} ${exitCode}`;
    });
  return [...new Set(steps)];
}

export function deletions(use: Use): void {
  use('a pod that is deleted is warned, ends in its own way, and is gone only then', async (given) => {
    const { api, namespace } = given;
    const watch = await begin(given, 'polite', untilAsked('exit 7'));
    const asked = await api.deleteNamespacedPod({ namespace, name: 'polite', gracePeriodSeconds: 100 });
    assert.equal(asked.metadata?.deletionGracePeriodSeconds, 100);
    assert.equal(asked.metadata?.generation, 2);
    assert.equal(asked.status?.phase, 'Running');
    await untilGone(watch);
    watch.stop();
    const steps = ['MODIFIED 100 Running -', 'MODIFIED 100 Failed 7', 'MODIFIED 0 Failed 7', 'DELETED 0 Failed 7'];
    assert.deepEqual(
      stepsOf(watch).filter((step) => step !== 'MODIFIED 100 Running 7'),
      steps,
    );
    assert.equal((await refusalOf(api.readNamespacedPod({ namespace, name: 'polite' }))).code, 404);
  });

  use('a pod that does not listen is killed when its grace is over', async (given) => {
    const { api, namespace } = given;
    const watch = await begin(given, 'deaf', ['sleep', '1000'], { terminationGracePeriodSeconds: 1 });
    await api.deleteNamespacedPod({ namespace, name: 'deaf' });
    const { object } = await untilGone(watch);
    watch.stop();
    assert.equal(statusOf(object)?.state?.terminated?.exitCode, 137);
  });

  use('the warning goes to the first process alone; what it has started is killed with it', async (given) => {
    const { api, config, namespace } = given;
    const child = `trap "echo the child was warned" TERM; while true; do sleep 0.05; done`;
    const script = `sh -c '${child}' & trap 'echo the first was warned; exit 0' TERM; echo ready; while true; do sleep 0.05; done`;
    const watch = await begin(given, 'family', ['sh', '-c', script]);
    const stream = new PassThrough();
    await new Log(config).log(namespace, 'family', 'main', stream, { follow: true });
    const chunks: string[] = [];
    for await (const chunk of stream) {
      const isFirst = chunks.push(String(chunk)) === 1;
      if (isFirst) await api.deleteNamespacedPod({ namespace, name: 'family' });
    }
    await untilGone(watch);
    watch.stop();
    assert.equal(chunks.join(''), 'ready\nthe first was warned\n');
  });

  use('a pod that is deleted without grace is gone at once', async (given) => {
    const { api, namespace } = given;
    const watch = await begin(given, 'forced', ['sleep', '1000']);
    const answer = await api.deleteNamespacedPod({
      namespace,
      name: 'forced',
      body: { gracePeriodSeconds: 0 },
    });
    assert.equal(answer.metadata?.deletionGracePeriodSeconds, 0);
    assert.equal((await refusalOf(api.readNamespacedPod({ namespace, name: 'forced' }))).code, 404);
    await untilGone(watch);
    watch.stop();
    assert.deepEqual(stepsOf(watch).slice(-1), ['DELETED 0 Running -']);
    await create(given, podOf('forced', { command: ['true'] }));
    await untilPod(given, 'forced', isOver);
  });

  use('a pod that has ended is gone at once, whatever its grace', async (given) => {
    const { api, namespace } = given;
    await create(given, podOf('ended', { command: ['true'] }));
    await untilPod(given, 'ended', isOver);
    const answer = await api.deleteNamespacedPod({ namespace, name: 'ended', gracePeriodSeconds: 100 });
    assert.equal(answer.metadata?.deletionGracePeriodSeconds, 0);
    assert.equal((await refusalOf(api.readNamespacedPod({ namespace, name: 'ended' }))).code, 404);
  });

  use('a pod that waits for its image can be deleted', async (given) => {
    const { api, namespace } = given;
    const watch = await follow(given, { labelSelector: 'pod=imageless' });
    await create(given, podOf('imageless', { image: 'nothing-of-the-kind:local' }));
    await untilPod(given, 'imageless', (pod) => statusOf(pod)?.state?.waiting?.reason === 'ErrImageNeverPull');
    await api.deleteNamespacedPod({ namespace, name: 'imageless' });
    await untilGone(watch);
    watch.stop();
  });

  use('a deletion that is asked for again is the same, and no grace is made longer', async (given) => {
    const { api, namespace } = given;
    const watch = await begin(given, 'again', ['sleep', '1000']);
    const first = await api.deleteNamespacedPod({ namespace, name: 'again', gracePeriodSeconds: 50 });
    const second = await api.deleteNamespacedPod({ namespace, name: 'again', gracePeriodSeconds: 90 });
    assert.deepEqual(second.metadata?.deletionTimestamp, first.metadata?.deletionTimestamp);
    assert.equal(second.metadata?.deletionGracePeriodSeconds, 50);
    await api.deleteNamespacedPod({ namespace, name: 'again', gracePeriodSeconds: 0 });
    await untilGone(watch);
    watch.stop();
  });

  use('a grace that has begun is made shorter on paper alone', async (given) => {
    const { api, namespace } = given;
    const watch = await begin(given, 'shorter', ['sleep', '1000']);
    const { metadata } = await api.deleteNamespacedPod({ namespace, name: 'shorter', gracePeriodSeconds: 20 });
    await until('the warning', async () => {
      const { items } = await api.listNamespacedEvent({ namespace, fieldSelector: 'involvedObject.name=shorter' });
      return items.some(({ reason }) => reason === 'Killing') ? true : null;
    });
    const second = await api.deleteNamespacedPod({ namespace, name: 'shorter', gracePeriodSeconds: 1 });
    assert.equal(second.metadata?.deletionGracePeriodSeconds, 1);
    const { object } = await untilGone(watch);
    watch.stop();
    const [due, end] = [metadata?.deletionTimestamp, statusOf(object)?.state?.terminated?.finishedAt];
    // Times are cut to the second.
    assert.ok(due && end && Date.parse(String(end)) >= due.getTime() - 1000, `${String(end)} of ${String(due)}`);
  });

  use('an eviction by the API is a deletion that says why', async (given) => {
    const { api, namespace } = given;
    const watch = await begin(given, 'evicted', untilAsked('exit 0'));
    const body = { metadata: { name: 'evicted', namespace } };
    await api.createNamespacedPodEviction({ namespace, name: 'evicted', body });
    const { object } = await untilGone(watch);
    watch.stop();
    assert.equal(conditionsOf(object)['DisruptionTarget'], 'True EvictionByEvictionAPI Eviction API: evicting');
  });

  use('all pods that a selector chooses are deleted at once', async (given) => {
    const { api, namespace } = given;
    const watch = await follow(given, { labelSelector: 'pod in (one,two)' });
    for (const name of ['one', 'two', 'three']) await create(given, podOf(name, { command: untilAsked('exit 0') }));
    await api.deleteCollectionNamespacedPod({ namespace, labelSelector: 'pod in (one,two)', gracePeriodSeconds: 1 });
    for (const gone of ['one', 'two'])
      await watch.until(gone, ({ type, object }) => type === 'DELETED' && object.metadata?.name === gone);
    watch.stop();
    const { metadata } = await api.readNamespacedPod({ namespace, name: 'three' });
    assert.equal(metadata?.deletionTimestamp, undefined);
    await api.deleteNamespacedPod({ namespace, name: 'three', gracePeriodSeconds: 1 });
  });
}
