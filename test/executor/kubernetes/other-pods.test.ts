/** A pod is known by its identity: another one of its name is nobody's to wait for, and nobody's to remove. */
import assert from 'node:assert/strict';
import { createApi } from '../../../src/executor/kubernetes/api.ts';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { until } from '../workshop.ts';
import { settingsFor } from './fake-runner.ts';
import { check, running, said, type Given } from './under-faults.ts';

const path = '/api/v1/namespaces/default/pods';

/** Somebody puts another pod of that name in its place, and only the next list shows it. */
async function replaceUnseen({ fake }: Given, { metadata: { name, labels = {} } }: Pod): Promise<Pod> {
  const api = createApi(settingsFor(fake).loadConfig);
  const watches = fake.count('watch');
  const isDone = Promise.withResolvers<void>();
  fake.faults.add(({ verb }) => verb === 'watch', { kind: 'wait', until: isDone.promise });
  fake.cutStreams('reset', ({ verb }) => verb === 'watch');
  await until('the next watch', () => fake.count('watch') > watches);
  await api.request('DELETE', `${path}/${name}`, { body: { gracePeriodSeconds: 0 } });
  const containers = [{ name: 'main', image: 'busybox:local', command: ['sleep', '600'] }];
  await api.request('POST', path, {
    body: { metadata: { name, labels }, spec: { restartPolicy: 'Never', containers } },
  });
  fake.forgetVersions();
  isDone.resolve();
  return fake.pod(name);
}

check(
  'a pod that another one of its name has replaced is lost, once, and the other one is left alone',
  async (given) => {
    const { fake, harbour } = given;
    const { id, pod } = await running(given);
    const other = await replaceUnseen(given, pod);
    assert.notEqual(other.metadata.uid, pod.metadata.uid);
    const { outcome } = await harbour.finished(id);
    assert.match(said(outcome), /^lost: its pod is gone: somebody deleted it and made another of that name/);
    // The end of the first one is asked for by its identity.
    await until('the end of what was to be removed', () => fake.count('delete') === 2);
    assert.equal(fake.pod(pod.metadata.name).metadata.deletionTimestamp, undefined);
    await createApi(settingsFor(fake).loadConfig).request('DELETE', `${path}/${pod.metadata.name}`, {
      body: { gracePeriodSeconds: 0 },
    });
    assert.equal(harbour.reports.filter((word) => word.type === 'finished').length, 1);
  },
);

check('the removal of a pod names its identity', async (given) => {
  const { fake, harbour } = given;
  const { id, pod } = await running(given);
  await harbour.executor.stop(id, 'cancelled', 1000);
  await harbour.finished(id);
  const removals = fake.requests.filter(({ verb }) => verb === 'delete');
  assert.ok(removals.length > 0);
  for (const { body } of removals) assert.deepEqual(JSON.parse(body).preconditions, { uid: pod.metadata.uid });
});
