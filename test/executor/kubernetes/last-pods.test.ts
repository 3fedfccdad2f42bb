/** At the end of whoever nobody comes after, no pod whose work has ended runs on, whatever its sidecars hear. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { KeepRule } from '../../../src/executor/kubernetes/kept-pods.ts';
import type { FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import { command, specOf, until } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { openHarbour } from './harbour.ts';

const deaf = {
  sidecars: [
    { name: 'proxy', image: 'busybox:local', command: ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'] },
  ],
};

async function endedRun(
  t: TestContext,
  pod: Parameters<typeof specOf>[1],
  keep: KeepRule['onFinishAction'],
  lastPatienceMs: number,
): Promise<FakeKubernetes> {
  const fake = await startClusterWithRunner();
  t.after(() => fake.close());
  const rule = { onFinishAction: keep, ttlAfterFinishedMs: 60_000 };
  const harbour = await openHarbour({ ...settingsFor(fake), keep: rule, lastPatienceMs });
  t.after(() => harbour.close());
  const spec = specOf(command('true'), pod);
  await harbour.executor.start(spec);
  assert.equal((await harbour.finished(spec.attemptId)).outcome.kind, 'succeeded');
  await harbour.executor.close();
  return fake;
}

test('a sidecar that hears no warning is gone at the end', async (t) => {
  const fake = await endedRun(t, { pod: deaf }, 'delete_pod', 3000);
  assert.deepEqual(fake.pods(), []);
});

test('one that hears none beside a step whose pod is to stay is left to its node, which ends it', async (t) => {
  const fake = await endedRun(t, { pod: deaf, graceMs: 0 }, 'keep_pod', 3000);
  const [pod, ...others] = fake.pods();
  assert.ok(pod);
  await until('its end', () => fake.pod(pod.metadata.name).status.phase === 'Succeeded');
  assert.deepEqual([others, fake.count('delete', 'pods')], [[], 0]);
});

test('a pod that ends by itself is gone without a second word', async (t) => {
  const fake = await endedRun(t, {}, 'delete_pod', 60_000);
  assert.deepEqual(fake.pods(), []);
  assert.equal(fake.count('delete', 'pods'), 1);
});

test('one that is to stay has ended, and stays', async (t) => {
  const fake = await endedRun(t, {}, 'keep_pod', 60_000);
  assert.deepEqual(
    fake.pods().map(({ status }) => status.phase),
    ['Succeeded'],
  );
});
