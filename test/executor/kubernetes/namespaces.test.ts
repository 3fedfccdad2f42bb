/** What an earlier server left in a namespace of a step, whose name nothing says any more, is found by the next one. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openNamespaces } from '../../../src/executor/kubernetes/namespaces.ts';
import { failure } from '../../support/kubernetes/status.ts';
import { lookSpecOf, shell, specOf, until } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { openHarbour } from './harbour.ts';

test('namespaces are known to the next one, and what is damaged says nothing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'namespaces-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'namespaces.json');
  const first = openNamespaces(file);
  assert.deepEqual(first.known, []);
  for (const name of ['training', 'gpu', 'training']) first.add(name);
  assert.deepEqual(openNamespaces(file).known, ['training', 'gpu']);
  first.remove('gpu');
  assert.deepEqual(openNamespaces(file).known, ['training']);
  first.add('gpu');
  for (let at = 0; at < 100; at += 1) first.add(`n${at}`);
  const { known } = openNamespaces(file);
  assert.deepEqual([known.length, known.at(-1)], [100, 'n99']);
  writeFileSync(file, '["half');
  assert.deepEqual(openNamespaces(file).known, []);
});

test('a pod that belongs to nothing any more is removed in whatever namespace it is', async (t) => {
  const fake = await startClusterWithRunner(['default', 'gpu']);
  t.after(() => fake.close());
  const harbour = await openHarbour(settingsFor(fake));
  t.after(() => harbour.close());
  const spec = specOf(shell('sleep 600'), { pod: { namespace: 'gpu' } });
  await harbour.executor.start(spec);
  await harbour.running(spec.attemptId);
  assert.equal(fake.pods()[0]?.metadata.namespace, 'gpu');
  // Its run has ended meanwhile.
  await (await harbour.next()).executor.recover([]);
  await until('it to go', () => fake.pods().length === 0 || undefined);
});

test('a namespace in which the cluster made no pod is not looked into any more; one that has pods is', async (t) => {
  const fake = await startClusterWithRunner(['default', 'gpu']);
  t.after(() => fake.close());
  const harbour = await openHarbour(settingsFor(fake));
  t.after(() => harbour.close());
  const known = (): readonly string[] => openNamespaces(join(harbour.folder, 'namespaces.json')).known;
  const isMistake = ({ namespace }: { readonly namespace: string }): boolean => namespace === 'gqu';
  const refused = failure(403, 'Forbidden', 'pods is forbidden: User "u" cannot create resource "pods"');
  fake.faults.add(isMistake, { kind: 'refuse', status: refused }, Infinity);
  const running = specOf(shell('sleep 600'), { pod: { namespace: 'gpu' } });
  await harbour.executor.start(running);
  await harbour.running(running.attemptId);
  const mistaken = ['gqu', 'gqu'].map((namespace) => specOf(shell('true'), { pod: { namespace } }));
  for (const spec of mistaken) await harbour.executor.start(spec);
  assert.deepEqual(known(), ['default', 'gpu', 'gqu'], 'they may be made yet');
  for (const { attemptId } of mistaken) await harbour.finished(attemptId);
  await until('it to be forgotten', () => !known().includes('gqu'));
  fake.refusePods(() => refused);
  const late = specOf(shell('true'), { pod: { namespace: 'gpu' } });
  await harbour.executor.start(late);
  await harbour.finished(late.attemptId);
  assert.deepEqual(known(), ['default', 'gpu']);
  const removals = fake.requests.filter((request) => request.verb === 'delete' && isMistake(request));
  assert.equal(removals.length, 0, 'what was never made is not removed');
  await harbour.executor.stop(running.attemptId, 'cancelled', 0);
  await harbour.finished(running.attemptId);
});

test('a pod stays where it is, and its step goes on, when the next server makes its pods in another namespace', async (t) => {
  const fake = await startClusterWithRunner(['default', 'gpu']);
  t.after(() => fake.close());
  const pod: { namespace?: string } = {};
  const harbour = await openHarbour({ ...settingsFor(fake), pod });
  t.after(() => harbour.close());
  const go = join(harbour.folder, 'go');
  const spec = specOf(shell(`until [ -e ${go} ]; do sleep 0.02; done`));
  await harbour.executor.start(spec);
  await harbour.running(spec.attemptId);
  pod.namespace = 'gpu';
  const { executor } = await harbour.next();
  await executor.recover([spec.attemptId]);
  writeFileSync(go, '');
  assert.equal((await harbour.finished(spec.attemptId)).outcome.kind, 'succeeded');
  await executor.start(specOf(shell('sleep 600')));
  await until(
    'the pod of the next step',
    () => fake.pods().some(({ metadata }) => metadata.namespace === 'gpu') || undefined,
  );
});

test('the pod of a look is as its step says, in the namespace that it names', async (t) => {
  const fake = await startClusterWithRunner(['default', 'gpu']);
  t.after(() => fake.close());
  const harbour = await openHarbour({ ...settingsFor(fake), pod: { labels: { team: 'churn', tier: 'batch' } } });
  t.after(() => harbour.close());
  fake.scheduling.hold();
  const pod = { namespace: 'gpu', labels: { tier: 'looks' }, nodeSelector: { pool: 'small' } };
  const end = new AbortController();
  const look = harbour.executor.look(lookSpecOf('.pipelines/p.ts', {}, { pod }), end.signal);
  const [made] = await until('its pod', () => (fake.pods().length === 1 ? fake.pods() : undefined));
  const { namespace, labels } = made?.metadata ?? assert.fail();
  assert.deepEqual([namespace, labels?.['team'], labels?.['tier']], ['gpu', 'churn', 'looks']);
  assert.deepEqual(made?.spec.nodeSelector, { pool: 'small' });
  end.abort();
  await assert.rejects(look, /the look was ended/);
});
