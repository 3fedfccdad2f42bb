/** What can befall the pods of the fake. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  conditionsOf,
  create,
  follow,
  isOver,
  podOf,
  refusalOf,
  statusOf,
  untilAsked,
  untilPod,
} from '../contract/kubernetes-suite.ts';
import { withFake, type FakeGiven } from './fake-cluster.ts';

const check = (title: string, body: (given: FakeGiven) => Promise<void>): void => {
  test(title, () => withFake(body));
};

const runsOn = podOf('main', { command: ['sleep', '1000'] }, { terminationGracePeriodSeconds: 1 });

async function begin(given: FakeGiven): Promise<void> {
  await create(given, runsOn);
  await untilPod(given, 'main', ({ status }) => status?.phase === 'Running');
}

async function reasonsOf({ api, namespace }: FakeGiven): Promise<readonly (string | undefined)[]> {
  const { items } = await api.listNamespacedEvent({ namespace, fieldSelector: 'involvedObject.name=main' });
  return items.map(({ reason }) => reason);
}

check('a pod waits for a node that has room for it', async (given) => {
  const { fake } = given;
  fake.scheduling.hold(({ metadata }) => metadata.name === 'main');
  await create(given, runsOn);
  const pod = await untilPod(given, 'main', ({ status }) => status?.conditions !== undefined);
  assert.equal(conditionsOf(pod)['PodScheduled'], 'False Unschedulable 0/1 nodes are available: 1 Insufficient cpu.');
  assert.deepEqual(await reasonsOf(given), ['FailedScheduling']);
  fake.scheduling.release();
  await untilPod(given, 'main', ({ status }) => status?.phase === 'Running');
});

check('a pod that waits for a node is gone at once when it is deleted', async (given) => {
  const { fake, api, namespace } = given;
  fake.scheduling.hold();
  await create(given, runsOn);
  await api.deleteNamespacedPod({ namespace, name: 'main' });
  assert.equal((await refusalOf(api.readNamespacedPod({ namespace, name: 'main' }))).code, 404);
});

check('a pod is held while its containers are created', async (given) => {
  const { fake, api, namespace } = given;
  fake.creation.hold();
  await create(given, runsOn);
  await untilPod(given, 'main', (pod) => statusOf(pod)?.state?.waiting?.reason === 'ContainerCreating');
  const { status } = await refusalOf(api.readNamespacedPodLog({ namespace, name: 'main' }));
  assert.match(JSON.stringify(status), /is waiting to start: ContainerCreating/);
  fake.creation.release();
  await untilPod(given, 'main', (pod) => pod.status?.phase === 'Running');
});

check('an evicted pod has failed and stays', async (given) => {
  const { fake } = given;
  await begin(given);
  fake.disturbances.evict(fake.pod('main'), 'The node was low on resource: memory. ');
  const pod = await untilPod(given, 'main', isOver);
  const { phase, reason, message } = pod.status ?? {};
  assert.deepEqual([phase, reason, message], ['Failed', 'Evicted', 'The node was low on resource: memory. ']);
  assert.match(conditionsOf(pod)['DisruptionTarget'] ?? '', /^True TerminationByKubelet/);
  assert.equal(statusOf(pod)?.state?.terminated?.exitCode, 137);
  assert.ok((await reasonsOf(given)).includes('Evicted'));
});

check('a preempted pod is deleted, and says why', async (given) => {
  const { fake } = given;
  await begin(given);
  const watch = await follow(given, {});
  fake.disturbances.preempt(fake.pod('main'));
  const { object } = await watch.until('its end', ({ type }) => type === 'DELETED');
  watch.stop();
  assert.match(
    conditionsOf(object)['DisruptionTarget'] ?? '',
    /^True PreemptionByScheduler default-scheduler: preempting/,
  );
  assert.ok((await reasonsOf(given)).includes('Preempted'));
});

check('a container runs out of memory', async (given) => {
  const { fake } = given;
  await begin(given);
  fake.disturbances.endAsOutOfMemory(fake.pod('main'), 'main');
  const pod = await untilPod(given, 'main', isOver);
  const { exitCode, reason } = statusOf(pod)?.state?.terminated ?? {};
  assert.deepEqual([pod.status?.phase, exitCode, reason], ['Failed', 137, 'OOMKilled']);
});

check('a pod is deleted by hand', async (given) => {
  const { fake } = given;
  await begin(given);
  const watch = await follow(given, {});
  fake.disturbances.deleteByHand(fake.pod('main'));
  await watch.until('its end', ({ type }) => type === 'DELETED');
  watch.stop();
});

check(
  'of a node that is lost nothing is heard, and nothing is done there; found again, it tells all',
  async (given) => {
    const { fake, api, namespace } = given;
    await begin(given);
    fake.disturbances.loseNode();
    const lost = await untilPod(given, 'main', (pod) => conditionsOf(pod)['Ready'] === 'False');
    assert.equal(lost.status?.phase, 'Running');
    const log = await refusalOf(api.readNamespacedPodLog({ namespace, name: 'main' }));
    assert.match(JSON.stringify(log.status), /10250: connect: connection refused/);
    fake.disturbances.evictFromLostNode();
    const marked = await untilPod(given, 'main', ({ metadata }) => metadata?.deletionTimestamp !== undefined);
    assert.match(conditionsOf(marked)['DisruptionTarget'] ?? '', /^True DeletionByTaintManager/);
    fake.disturbances.endAsOutOfMemory(fake.pod('main'), 'main');
    const reasons = await reasonsOf(given);
    assert.ok(reasons.includes('NodeNotReady') && reasons.includes('TaintManagerEviction'));
    assert.equal(fake.pod('main').status.phase, 'Running');
    const watch = await follow(given, {});
    fake.disturbances.findNode();
    const { object } = await watch.until('its end', ({ type }) => type === 'DELETED');
    watch.stop();
    assert.equal(statusOf(object)?.state?.terminated?.reason, 'OOMKilled');
  },
);

test('no process is left when the fake is closed, however it was started', async () => {
  const processesWith = (mark: string): readonly string[] =>
    readdirSync('/proc').filter((entry) => {
      try {
        return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, 'latin1').includes(mark);
      } catch {
        return false;
      }
    });
  const mark = `of-${process.pid}-alone`;
  await withFake(async (given) => {
    const script = `setsid sh -c 'while true; do sleep 0.1; done # ${mark}' & ${untilAsked('exit 0')[2]}`;
    await create(given, podOf('main', { command: ['sh', '-c', script] }));
    const { api, namespace } = given;
    await untilPod(given, 'main', ({ status }) => status?.phase === 'Running');
    for (let log = ''; !log.includes('ready');) log = await api.readNamespacedPodLog({ namespace, name: 'main' });
    assert.ok(processesWith(mark).length > 0);
  });
  assert.deepEqual(processesWith(mark), []);
});
