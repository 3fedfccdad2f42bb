/** Which pods stay after their end: by what the configuration says, how they ended, when, and how many there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { command, shell, specOf, until } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { openHarbour } from './harbour.ts';
import { failed, type PlacementEnd } from '../../../src/executor/desk/placing.ts';
import { onFinishActions } from '../../../src/pipeline/pod.ts';
import { isLeft, keptOf, keptPodsMax, ruleFor } from '../../../src/executor/kubernetes/kept-pods.ts';
import { podAnnotations, podLabels } from '../../../src/executor/kubernetes/pod.ts';
import type { PodView } from '../../../src/executor/kubernetes/pod-view.ts';

function pod(name: string, phase: string, finishedAt: number | null, type = 'attempt'): PodView {
  const main = {
    name: 'main',
    state: 'terminated',
    reason: null,
    message: null,
    exitCode: 1,
    isInit: false,
    isStarted: false,
    startedAt: 5,
  } as const;
  return {
    namespace: 'training',
    name,
    uid: name,
    annotations: {},
    labels: { [podLabels.type]: type },
    createdAt: 1000,
    phase,
    reason: null,
    message: null,
    node: 'one',
    deletion: null,
    disruption: null,
    unschedulable: null,
    notReadySince: null,
    containers: [{ ...main, finishedAt }],
    end: null,
  };
}

const rule = (onFinishAction: (typeof onFinishActions)[number]): Parameters<typeof keptOf>[1] => ({
  onFinishAction,
  ttlAfterFinishedMs: 10_000,
});
const ends: { readonly [name: string]: PlacementEnd } = {
  succeeded: {
    kind: 'told',
    result: { type: 'attempt', outcome: { kind: 'succeeded', output: { inline: null }, control: null }, usage: null },
    usage: null,
  },
  failed: {
    kind: 'told',
    result: { type: 'attempt', outcome: failed('code', 'it failed', 1), usage: null },
    usage: null,
  },
  seen: { kind: 'seen', failed: failed('out-of-memory', 'too much', 137), usage: null },
  stopped: { kind: 'stopped', cause: 'cancelled', usage: null },
};

test('a pod is left to end by itself where the action says so for such an end', () => {
  const left = onFinishActions.map((action) => [
    action,
    Object.keys(ends).filter((name) => isLeft(ends[name] ?? assert.fail(), pod('a', 'Running', null), rule(action))),
  ]);
  assert.deepEqual(left, [
    ['delete_pod', []],
    ['delete_succeeded_pod', ['failed', 'seen']],
    ['keep_pod', ['succeeded', 'failed', 'seen']],
  ]);
});

test('a pod that has not begun, is being deleted or is not there is not left', () => {
  const seen = ends['seen'] ?? assert.fail();
  const keep = rule('keep_pod');
  assert.equal(isLeft(seen, pod('a', 'Pending', null), keep), false);
  const pending = pod('a', 'Pending', null);
  const prepared = pending.containers.map((one) => ({ ...one, isInit: true, exitCode: 0 }));
  assert.equal(isLeft(seen, { ...pending, containers: prepared }, keep), false);
  assert.equal(isLeft(seen, { ...pod('a', 'Running', null), deletion: { deadline: 5, graceMs: 0 } }, keep), false);
  assert.equal(isLeft(seen, undefined, keep), false);
  assert.equal(
    isLeft(ends['failed'] ?? assert.fail(), pod('a', 'Pending', null), keep),
    true,
    'it has begun, and told its end',
  );
});

test('of pods that have ended those stay that are wanted, as long as they may, and the newest of them', () => {
  const pods = [
    pod('failed', 'Failed', 20_000),
    pod('old', 'Failed', 5000),
    pod('well', 'Succeeded', 20_000),
    pod('running', 'Running', null),
    pod('look', 'Failed', 20_000, 'look'),
  ];
  const names = (action: (typeof onFinishActions)[number]): readonly string[] =>
    [...keptOf(pods, rule(action), 20_000)].map(({ name }) => name);
  assert.deepEqual(names('delete_pod'), []);
  assert.deepEqual(names('delete_succeeded_pod'), ['failed']);
  assert.deepEqual(names('keep_pod'), ['failed', 'well']);
  const many = Array.from({ length: keptPodsMax + 2 }, (_, index) => pod(`p${index}`, 'Failed', 20_000 + index));
  const kept = keptOf(many, rule('delete_succeeded_pod'), 21_000);
  assert.deepEqual(
    many.filter((each) => !kept.has(each)).map(({ name }) => name),
    ['p0', 'p1'],
  );
});

test('a pod that its node is about to end stays, as its own containers have ended, and one that goes on does not', () => {
  const pods = [
    { ...pod('well', 'Running', 20_000), end: 'succeeded' },
    { ...pod('failed', 'Running', 20_000), end: 'failed' },
    pod('goes on', 'Running', 20_000),
  ] as const;
  const names = (action: (typeof onFinishActions)[number]): readonly string[] =>
    [...keptOf(pods, rule(action), 20_000)].map(({ name }) => name);
  assert.deepEqual(names('delete_pod'), []);
  assert.deepEqual(names('delete_succeeded_pod'), ['failed']);
  assert.deepEqual(names('keep_pod'), ['well', 'failed']);
});

test('what is said of one pod comes before what is said of all', () => {
  const all = rule('keep_pod');
  assert.deepEqual(ruleFor({}, all), all);
  assert.deepEqual(ruleFor({ onFinishAction: 'delete_pod' }, all), rule('delete_pod'));
  const longer = { onFinishAction: 'keep_pod', ttlAfterFinishedMs: 7_200_000 };
  assert.deepEqual(ruleFor({ ttlAfterFinished: '2h' }, all), longer);
  const said = (name: string, action: string, ttl: string): PodView => ({
    ...pod(name, 'Succeeded', 20_000),
    annotations: { [podAnnotations.onFinishAction]: action, [podAnnotations.ttlAfterFinished]: ttl },
  });
  const pods = [said('kept', 'keep_pod', '1m'), said('over', 'keep_pod', '5s'), pod('other', 'Succeeded', 20_000)];
  assert.deepEqual(
    [...keptOf(pods, rule('delete_pod'), 26_000)].map(({ name }) => name),
    ['kept'],
  );
});

test('a pod stays where its step says so, through the next server, and where all others go', async (t) => {
  const fake = await startClusterWithRunner();
  t.after(() => fake.close());
  const harbour = await openHarbour(settingsFor(fake));
  t.after(() => harbour.close());
  const one = specOf(command('true'), { pod: { onFinishAction: 'keep_pod', ttlAfterFinished: '1h' } });
  await harbour.executor.start(one);
  await harbour.finished(one.attemptId);
  const kept = await until('its pod to have ended', () =>
    fake.pods().find(({ status }) => status.phase === 'Succeeded'),
  );
  const { annotations } = kept.metadata;
  assert.equal(annotations?.[podAnnotations.onFinishAction], 'keep_pod');
  assert.equal(annotations[podAnnotations.ttlAfterFinished], '1h');
  const lists = fake.count('list', 'pods');
  await (await harbour.next()).executor.recover([]);
  await until('the list of the next server', () => fake.count('list', 'pods') > lists || undefined);
  assert.equal((await harbour.run(command('true'))).kind, 'succeeded');
  await until('the pod of that to go', () => fake.pods().length === 1 || undefined);
  assert.equal(fake.pods()[0]?.metadata.name, kept.metadata.name);
});

test('pods that failed stay through the next server, until their time is over; all others go', async (t) => {
  const fake = await startClusterWithRunner();
  t.after(() => fake.close());
  let offset = 0;
  const clock = { now: () => Date.now() + offset };
  const keep = { onFinishAction: 'delete_succeeded_pod', ttlAfterFinishedMs: 3_600_000 } as const;
  const harbour = await openHarbour({ ...settingsFor(fake), clock, keep });
  t.after(() => harbour.close());
  const one = specOf(shell('echo begun; exit 3'));
  await harbour.executor.start(one);
  assert.equal((await harbour.finished(one.attemptId)).outcome.kind, 'failed');
  assert.equal((await harbour.run(command('true'))).kind, 'succeeded');
  const cancelled = specOf(shell('sleep 600'));
  await harbour.executor.start(cancelled);
  await harbour.running(cancelled.attemptId);
  await harbour.executor.stop(cancelled.attemptId, 'cancelled', 0);
  await harbour.finished(cancelled.attemptId);
  const namesOf = (pods: readonly Pod[]): readonly unknown[] => pods.map(({ metadata }) => metadata.name);
  const [kept] = await until('one pod that has failed', () => {
    const pods = fake.pods();
    return pods.length === 1 && pods[0]?.status.phase === 'Failed' ? namesOf(pods) : undefined;
  });
  const told = (await harbour.log(one.attemptId)).at(-1);
  assert.equal(told, `Its pod is kept: kubectl --namespace default describe pod ${String(kept)}`);

  const lists = fake.count('list', 'pods');
  await (await harbour.next()).executor.recover([]);
  await until('the list of the next server', () => fake.count('list', 'pods') > lists || undefined);
  assert.equal((await harbour.run(command('true'))).kind, 'succeeded');
  await until('the pod of that to go', () => fake.pods().length === 1 || undefined);
  assert.deepEqual(namesOf(fake.pods()), [kept]);

  offset += 3_600_000;
  await (await harbour.next()).executor.recover([]);
  await until('the kept pod to go', () => fake.pods().length === 0 || undefined);
});
