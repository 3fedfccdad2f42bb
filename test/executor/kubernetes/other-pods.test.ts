/** A pod is known by its identity: another one of its name is nobody's to wait for, and nobody's to remove. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, createApi, type Api } from '../../../src/executor/kubernetes/api.ts';
import { makePod } from '../../../src/executor/kubernetes/make-pod.ts';
import type { PlacementPorts } from '../../../src/executor/kubernetes/placement-ports.ts';
import { Placement } from '../../../src/executor/kubernetes/placement.ts';
import type { PlacementEnd } from '../../../src/executor/desk/placing.ts';
import type { FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import type { ApiRequest } from '../../support/kubernetes/requests.ts';
import { failure } from '../../support/kubernetes/status.ts';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { shell, specOf, until } from '../workshop.ts';
import { settingsFor } from './fake-runner.ts';
import { check, running, said, type Given } from './under-faults.ts';

type Asked = Pick<ApiRequest, 'verb' | 'resource'>;

const path = '/api/v1/namespaces/default/pods';

/** Somebody puts another pod of that name in its place, and only the next list shows it. */
async function replaceUnseen({ fake }: Given, pod: Pod): Promise<Pod> {
  const watches = fake.count('watch');
  const isDone = Promise.withResolvers<void>();
  fake.faults.add(({ verb }) => verb === 'watch', { kind: 'wait', until: isDone.promise });
  fake.cutStreams('reset', ({ verb }) => verb === 'watch');
  await until('the next watch', () => fake.count('watch') > watches);
  const other = await replace(pod, fake);
  fake.forgetVersions();
  isDone.resolve();
  return other;
}

async function replace(pod: Pod, fake: FakeKubernetes): Promise<Pod> {
  const { name, labels = {} } = pod.metadata;
  await removeNow(pod, fake);
  const containers = [{ name: 'main', image: 'busybox:local', command: ['sleep', '600'] }];
  await createApi(settingsFor(fake).loadConfig).request('POST', path, {
    body: { metadata: { name, labels }, spec: { restartPolicy: 'Never', containers } },
  });
  return fake.pod(name);
}

async function removeNow({ metadata: { name } }: Pod, fake: FakeKubernetes): Promise<void> {
  const body = { gracePeriodSeconds: 0 };
  await createApi(settingsFor(fake).loadConfig).request('DELETE', `${path}/${name}`, { body });
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
    await removeNow(other, fake);
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

check('a pod that another one has replaced while no server looked is lost to the next one', async (given) => {
  const { fake, harbour } = given;
  const { id, pod } = await running(given);
  const isDone = Promise.withResolvers<void>();
  fake.faults.add(({ verb }) => verb === 'list', { kind: 'wait', until: isDone.promise });
  const { executor } = await harbour.next();
  await executor.recover([id]);
  const other = await replace(pod, fake);
  isDone.resolve();
  assert.match(said((await harbour.finished(id)).outcome), /^lost: its pod is gone: .* made another of that name/);
  await until('the end of what was to be removed', () => fake.count('delete') === 2);
  assert.equal(fake.pod(other.metadata.name).metadata.deletionTimestamp, undefined);
  await removeNow(other, fake);
});

check('a pod that is there when it is asked for, and gone when it is looked at, is asked for again', async (given) => {
  const { fake, harbour } = given;
  const isCreate = ({ verb, resource }: Asked): boolean => verb === 'create' && resource === 'pods';
  const isGet = ({ verb, resource }: Asked): boolean => verb === 'get' && resource === 'pods';
  fake.faults.add(isCreate, { kind: 'cut after' });
  fake.faults.add(isGet, { kind: 'refuse', status: failure(404, 'NotFound', 'pods "c-1" not found') });
  // Its agent would tell the end of the first one.
  fake.scheduling.hold();
  const spec = specOf(shell('true'));
  await harbour.executor.start(spec);
  await until('its third request', () => fake.count('create', 'pods') === 3);
  fake.scheduling.release();
  assert.equal(said((await harbour.finished(spec.attemptId)).outcome), 'succeeded');
});

test('a pod that is being deleted is none that an attempt is given', async () => {
  const metadata = { name: 'c-1', namespace: 'ml', uid: 'u-1', deletionTimestamp: '2026-01-05T02:00:00Z' };
  const api: Api = {
    async request(method) {
      if (method === 'POST') throw new ApiError('pods "c-1" already exists', 409, 'AlreadyExists', null);
      return { metadata } as never;
    },
    stream: () => assert.fail('nothing is watched'),
  };
  const place = { namespace: 'ml', name: 'c-1', make: async () => ({}) };
  const made = makePod(place, { api, trusted: () => true }, () => undefined);
  await assert.rejects(made, (error) => error instanceof ApiError && error.isPassing && /deleted/.test(error.message));
});

const asked = { namespace: 'ml', name: 'c-1', make: async () => ({}) };

function portsWith(changes: Partial<PlacementPorts>): PlacementPorts {
  const none = (): undefined => undefined;
  return {
    isLook: false,
    api: { request: () => assert.fail('nothing is asked'), stream: () => assert.fail('nothing is watched') },
    reaper: { take: none, finish: async () => undefined, close: none },
    clock: { now: () => 0 },
    trusted: () => true,
    patience: { startMs: 60_000, imageMs: 60_000 },
    lostMs: 60_000,
    agentUrl: 'http://server',
    seen: none,
    lasted: () => 0,
    isFresh: () => true,
    refused: () => null,
    heardAt: () => 0,
    wroteAt: async () => null,
    revoke: none,
    room: async () => true,
    say: none,
    placed: none,
    over: async () => undefined,
    letGo: none,
    unmade: none,
    container: null,
    ...changes,
  };
}

test('a stop that comes as soon as the pod is made removes it', async () => {
  const taken: (string | null)[] = [];
  const request: Api['request'] = async () =>
    ({ metadata: { name: 'c-1', namespace: 'ml', uid: 'u-1', creationTimestamp: '2026-01-05T02:00:00Z' } }) as never;
  const placement: Placement = new Placement(
    asked,
    portsWith({
      api: { request, stream: () => assert.fail('nothing is watched') },
      reaper: { take: ({ uid }) => void taken.push(uid), finish: async () => undefined, close: () => undefined },
      placed: () => queueMicrotask(() => placement.stop('cancelled', 0)),
    }),
    false,
  );
  await placement.ask();
  assert.deepEqual(taken, ['u-1']);
});

test('what has begun is lost where its pod is gone before the request for it was answered, and does not begin again', async () => {
  const methods: string[] = [];
  const ends: PlacementEnd[] = [];
  const placement: Placement = new Placement(
    asked,
    portsWith({
      api: {
        async request(method) {
          methods.push(method);
          if (methods.length > 2) assert.fail('it is asked for again');
          if (method === 'GET') throw new ApiError('pods "c-1" not found', 404, 'NotFound', null);
          placement.begin();
          throw new ApiError('pods "c-1" already exists', 409, 'AlreadyExists', null);
        },
        stream: () => assert.fail('nothing is watched'),
      },
      over: async (end) => void ends.push(end),
    }),
    false,
  );
  await placement.ask();
  assert.deepEqual(methods, ['POST', 'GET']);
  assert.match(ends[0]?.kind === 'seen' ? said(ends[0].failed) : '', /^lost: its pod is gone/);
});
