/** Lists of pods, and watches from them on. */
import assert from 'node:assert/strict';
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { create, follow, podOf, refusalOf, until, type Given, type Seen, type Use } from './kubernetes-suite.ts';

/** A pod that no scheduler looks after: it stays as it is. */
async function createStill(given: Given, name: string, labels: Record<string, string>): Promise<void> {
  const pod = podOf(name, {}, { schedulerName: 'nobody' });
  pod.metadata = { name, labels };
  await create(given, pod);
}

async function relabel({ api, namespace }: Given, name: string, labels: Record<string, string | null>): Promise<void> {
  const body = { metadata: { labels } };
  await api.patchNamespacedPod({ namespace, name, body }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
}

const namesOf = (list: { items: { metadata?: { name?: string } }[] }): (string | undefined)[] =>
  list.items.map(({ metadata }) => metadata?.name);
const told = ({ type, object }: Seen): string => `${type} ${object.metadata?.name ?? object.code}`;

export function lists(use: Use): void {
  use('a list has what the selector chooses, in the order of names', async (given) => {
    const { api, namespace } = given;
    await createStill(given, 'list-c', { group: 'list', kind: 'x' });
    await createStill(given, 'list-a', { group: 'list', kind: 'y' });
    await createStill(given, 'list-b', { group: 'list' });
    const chosenBy = async (labelSelector: string): Promise<string> =>
      namesOf(await api.listNamespacedPod({ namespace, labelSelector })).join(' ');
    assert.equal(await chosenBy('group=list'), 'list-a list-b list-c');
    assert.equal(await chosenBy('group==list,kind'), 'list-a list-c');
    assert.equal(await chosenBy('group=list,!kind'), 'list-b');
    assert.equal(await chosenBy('group=list,kind in (x, z)'), 'list-c');
    assert.equal(await chosenBy('group=list,kind notin (x)'), 'list-a list-b');
    assert.equal(await chosenBy('group=list,kind!=y'), 'list-b list-c');
    const byName = await api.listNamespacedPod({ namespace, fieldSelector: 'metadata.name=list-b' });
    assert.deepEqual(namesOf(byName), ['list-b']);
  });

  use('a list comes in pages of one version', async (given) => {
    const { api, namespace } = given;
    for (const name of ['page-a', 'page-b', 'page-c']) await createStill(given, name, { group: 'page' });
    const labelSelector = 'group=page';
    const first = await api.listNamespacedPod({ namespace, labelSelector, limit: 2 });
    assert.deepEqual(namesOf(first), ['page-a', 'page-b']);
    const { _continue: token, resourceVersion } = first.metadata ?? {};
    assert.ok(token);
    const second = await api.listNamespacedPod({ namespace, labelSelector, limit: 2, _continue: token });
    assert.deepEqual(namesOf(second), ['page-c']);
    assert.equal(second.metadata?.resourceVersion, resourceVersion);
    assert.ok((second.metadata?._continue ?? '') === '');
  });

  use('a version that is not yet cannot be listed', async ({ api, namespace }) => {
    const asked = await refusalOf(api.listNamespacedPod({ namespace, resourceVersion: '999999999' }));
    assert.equal(asked.code, 504);
  });
}

export function watches(use: Use): void {
  use('a watch tells what happened since the list, once each and in order', async (given) => {
    const { api, namespace } = given;
    await createStill(given, 'watch-a', { group: 'watch' });
    const list = await api.listNamespacedPod({ namespace, labelSelector: 'group=watch' });
    const resourceVersion = list.metadata?.resourceVersion ?? '';
    await createStill(given, 'watch-b', { group: 'watch' });
    const watch = await follow(given, { labelSelector: 'group=watch', resourceVersion });
    await relabel(given, 'watch-a', { more: 'yes' });
    await api.deleteNamespacedPod({ namespace, name: 'watch-b' });
    await watch.until('the end', ({ type }) => type === 'DELETED');
    watch.stop();
    const told = watch.seen.map(({ type, object }) => `${type} ${object.metadata?.name}`);
    assert.deepEqual(told, ['ADDED watch-b', 'MODIFIED watch-a', 'MODIFIED watch-b', 'DELETED watch-b']);
    const versions = watch.seen.map(({ object }) => Number(object.metadata?.resourceVersion));
    assert.deepEqual(
      versions,
      versions.toSorted((one, other) => one - other),
    );
  });

  use('what comes into sight is added, and what goes out of sight deleted', async (given) => {
    await createStill(given, 'sight', { group: 'none' });
    const watch = await follow(given, { labelSelector: 'group=sight' });
    await relabel(given, 'sight', { group: 'sight' });
    await watch.until('it to come', ({ type }) => type === 'ADDED');
    await relabel(given, 'sight', { group: null });
    const { object } = await watch.until('it to go', ({ type }) => type === 'DELETED');
    watch.stop();
    assert.deepEqual(watch.seen.map(told), ['ADDED sight', 'DELETED sight']);
    // As it was last seen, under the version at which it went.
    assert.deepEqual(object.metadata?.labels, { group: 'sight' });
    const { metadata } = await given.api.readNamespacedPod({ namespace: given.namespace, name: 'sight' });
    assert.equal(object.metadata?.resourceVersion, metadata?.resourceVersion);
  });

  use('a watch without a version begins with what there is, and says where that ends', async (given) => {
    await createStill(given, 'initial', { group: 'initial' });
    const watch = await follow(given, { labelSelector: 'group=initial', allowWatchBookmarks: true });
    const { object } = await watch.until('a bookmark', ({ type }) => type === 'BOOKMARK');
    watch.stop();
    assert.deepEqual(
      watch.seen.map(({ type }) => type),
      ['ADDED', 'BOOKMARK'],
    );
    assert.ok(Number(object.metadata?.resourceVersion) > 0);
    assert.deepEqual(object.metadata?.annotations, { 'k8s.io/initial-events-end': 'true' });
  });

  use('a watch ends when its time is over', async (given) => {
    const { metadata } = await given.api.listNamespacedPod({ namespace: given.namespace });
    const resourceVersion = metadata?.resourceVersion ?? '';
    const watch = await follow(given, { labelSelector: 'group=nobody', timeoutSeconds: 1, resourceVersion });
    assert.equal(await watch.ended, null);
    assert.deepEqual(watch.seen, []);
  });

  // What is told of a version that is kept no more stands with the fake's faults: a real one that has just begun keeps them all.

  use('labels and annotations of a pod can be changed, and nothing else of it', async (given) => {
    const { api, namespace } = given;
    await createStill(given, 'patched', { group: 'patched' });
    const strategic = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);
    const body = { metadata: { annotations: { note: 'a' }, labels: { group: null, other: 'b' } } };
    const { metadata } = await api.patchNamespacedPod({ namespace, name: 'patched', body }, strategic);
    assert.deepEqual([metadata?.annotations, metadata?.labels], [{ note: 'a' }, { other: 'b' }]);
    const spec = { metadata: {}, spec: { restartPolicy: 'Always' } };
    assert.equal(
      (await refusalOf(api.patchNamespacedPod({ namespace, name: 'patched', body: spec }, strategic))).code,
      422,
    );
    const wrong = { metadata: { labels: { other: 'not a value' } } };
    assert.equal(
      (await refusalOf(api.patchNamespacedPod({ namespace, name: 'patched', body: wrong }, strategic))).code,
      422,
    );
    await until('the change', async () => {
      const { metadata: now } = await api.readNamespacedPod({ namespace, name: 'patched' });
      return now?.labels?.['other'] === 'b' ? true : null;
    });
  });
}
