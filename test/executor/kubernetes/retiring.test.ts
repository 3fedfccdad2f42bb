/** A server that conducts no more, and whose looks take long to end, leaves what the next one has placed alone. */
import assert from 'node:assert/strict';
import { createApi } from '../../../src/executor/kubernetes/api.ts';
import { podLabels } from '../../../src/executor/kubernetes/pod.ts';
import { lookSpecOf, until } from '../workshop.ts';
import { settingsFor } from './fake-runner.ts';
import { check } from './under-faults.ts';

check('the pods of the next server are no strays of the one that goes', async ({ fake, harbour }) => {
  fake.scheduling.hold();
  const looked = harbour.executor.look(lookSpecOf('.pipelines/p.ts', {}), new AbortController().signal);
  looked.catch(() => undefined);
  await until('the pod of a look', () => fake.pods().length === 1);
  const goes = Promise.withResolvers<void>();
  fake.faults.add(({ verb }) => verb === 'delete', { kind: 'wait', until: goes.promise });
  const closed = harbour.executor.close();
  await until('its look to be ended', () => fake.count('delete', 'pods') === 1);
  const api = createApi(settingsFor(fake).loadConfig);
  const path = '/api/v1/namespaces/default/pods';
  const metadata = { name: 'of-the-next', labels: { [podLabels.instance]: harbour.instance } };
  const spec = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox:local' }] };
  await api.request('POST', path, { body: { metadata, spec } });
  const watches = fake.count('watch', 'pods');
  fake.cutStreams('reset', ({ verb }) => verb === 'watch');
  await until('a list and a watch', () => fake.count('watch', 'pods') > watches);
  goes.resolve();
  await closed;
  assert.equal(fake.count('delete', 'pods'), 1);
  assert.equal(fake.pod('of-the-next').metadata.deletionTimestamp, undefined);
  await api.request('DELETE', `${path}/of-the-next`);
});
