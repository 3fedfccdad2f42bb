/** What the fake can be made to do to those who ask it. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { ApiException, AuthorizationV1Api, Log } from '@kubernetes/client-node';
import { create, follow, isOver, podOf, refusalOf, untilAsked, untilPod } from '../contract/kubernetes-suite.ts';
import { admissionRefusals, statuses } from '../support/kubernetes/faults.ts';
import type { ApiRequest } from '../support/kubernetes/requests.ts';
import { withFake, type FakeGiven } from './fake-cluster.ts';

const quick = podOf('quick', { command: ['true'] });
const creates = ({ verb, resource }: ApiRequest): boolean => verb === 'create' && resource === 'pods';
const any = (): boolean => true;

const check = (title: string, body: (given: FakeGiven) => Promise<void>): void => {
  test(title, () => withFake(body));
};

check('the next requests that match are refused, as many as were asked for', async (given) => {
  const { fake } = given;
  fake.faults.add(creates, { kind: 'refuse', status: statuses.tooManyRequests(7) }, 2);
  const refused = await create(given, quick).catch((error: unknown) => error);
  assert.ok(refused instanceof ApiException);
  assert.deepEqual([refused.code, refused.headers['retry-after']], [429, '7']);
  assert.equal((await refusalOf(create(given, quick))).code, 429);
  await create(given, quick);
  assert.equal(fake.count('create'), 3);
  const { code, status } = statuses.unavailable();
  fake.faults.add(any, { kind: 'refuse', status: statuses.unavailable() });
  const { api, namespace } = given;
  assert.equal((await refusalOf(api.listNamespacedPod({ namespace }))).code, code);
  assert.equal(status, 'Failure');
  for (const status of [statuses.internalError(), statuses.expired()]) {
    fake.faults.add(any, { kind: 'refuse', status });
    assert.deepEqual(await refusalOf(api.listNamespacedPod({ namespace })), { code: status.code, status });
  }
});

check('who is not known is told so, of which the client tells the code alone', async ({ fake, api, namespace }) => {
  fake.faults.add(any, { kind: 'refuse', status: statuses.unauthorized() });
  assert.deepEqual(await refusalOf(api.listNamespacedPod({ namespace })), { code: 401, status: undefined });
});

check('a request waits as long as it is told to, and is done then', async (given) => {
  const { fake } = given;
  const gate = Promise.withResolvers<void>();
  fake.faults.add(creates, { kind: 'wait', until: gate.promise });
  const asked = create(given, quick);
  assert.deepEqual((await given.api.listNamespacedPod({ namespace: 'default' })).items, []);
  gate.resolve();
  assert.equal((await asked).metadata?.name, 'quick');
});

check('a connection breaks before the thing is done, or after it', async (given) => {
  const { fake } = given;
  fake.faults.add(creates, { kind: 'cut before' });
  await assert.rejects(create(given, quick));
  assert.equal(fake.pods().length, 0);
  fake.faults.add(creates, { kind: 'cut after' });
  await assert.rejects(create(given, quick));
  assert.equal(fake.pods().length, 1);
});

check('a fault that nobody met can be taken back', async (given) => {
  given.fake.faults.add(creates, { kind: 'cut before' });
  given.fake.faults.clear();
  await create(given, quick);
});

check('watches and logs end, or break, when they are cut', async (given) => {
  const { fake } = given;
  const { metadata } = await given.api.listNamespacedPod({ namespace: 'default' });
  const { resourceVersion = '' } = metadata ?? {};
  const ended = await follow(given, { resourceVersion });
  fake.cutStreams('end');
  assert.equal(await ended.ended, null);
  const broken = await follow(given, { resourceVersion });
  fake.cutStreams('reset', ({ verb }) => verb === 'watch');
  assert.ok((await broken.ended) instanceof Error);
  await create(given, podOf('logging', { command: untilAsked('exit 0') }));
  await untilPod(given, 'logging', ({ status }) => status?.phase === 'Running');
  const stream = new PassThrough();
  await new Log(given.config).log('default', 'logging', 'main', stream, { follow: true });
  fake.cutStreams('end', ({ resource }) => resource === 'pods/log');
  for await (const _ of stream) continue;
});

check('a watch that was silenced hears nothing more, and its connection stays', async (given) => {
  const { fake } = given;
  const deaf = await follow(given, {});
  fake.cutStreams('silence');
  const other = await follow(given, {});
  await create(given, quick);
  await other.until('the pod', ({ object }) => isOver(object));
  assert.deepEqual(deaf.seen, []);
  assert.equal(fake.streams.size, 2);
  for (const watch of [deaf, other]) watch.stop();
});

check('versions are forgotten, and bookmarks keep a watch up to date', async (given) => {
  const { fake } = given;
  const { metadata } = await given.api.listNamespacedPod({ namespace: 'default' });
  const watch = await follow(given, { allowWatchBookmarks: true, resourceVersion: metadata?.resourceVersion ?? '' });
  await create(given, quick);
  await watch.until('the end', ({ object }) => isOver(object));
  fake.forgetVersions();
  fake.sendBookmarks();
  const { object } = await watch.until('a bookmark', ({ type }) => type === 'BOOKMARK');
  watch.stop();
  const late = await follow(given, { resourceVersion: metadata?.resourceVersion ?? '' });
  const { object: told } = await late.until('an error', ({ type }) => type === 'ERROR');
  const { code, kind, reason, message } = told as { code?: number; kind?: string; reason?: string; message?: string };
  assert.deepEqual([code, kind, reason], [410, 'Status', 'Expired']);
  // As the real one says it, where it has forgotten something.
  assert.match(message ?? '', /^too old resource version: \d+ \(\d+\)$/);
  const inTime = await follow(given, { resourceVersion: object.metadata?.resourceVersion ?? '', timeoutSeconds: 1 });
  assert.equal(await inTime.ended, null);
  assert.deepEqual(inTime.seen, []);
});

check('a server that is away refuses connections; its pods go on', async (given) => {
  const { fake, api } = given;
  await create(given, quick);
  await fake.leave();
  await assert.rejects(api.listNamespacedPod({ namespace: 'default' }), (error) => !(error instanceof ApiException));
  await fake.comeBack();
  await untilPod(given, 'quick', isOver);
});

check('a token is known until another is accepted', async (given) => {
  const { fake, api, config } = given;
  fake.acceptToken('another');
  assert.equal((await refusalOf(api.listNamespacedPod({ namespace: 'default' }))).code, 401);
  Object.assign(config.getCurrentUser() ?? {}, { token: 'another' });
  await api.listNamespacedPod({ namespace: 'default' });
});

check('a quota counts the pods that have not ended', async (given) => {
  const { fake } = given;
  fake.quota.set(1);
  await create(given, podOf('first', { command: ['true'] }));
  await untilPod(given, 'first', isOver);
  fake.scheduling.hold();
  await create(given, podOf('second', { command: ['true'] }));
  assert.equal((await refusalOf(create(given, podOf('third', { command: ['true'] })))).code, 403);
});

check('pods are refused by whoever may admit them', async (given) => {
  const { fake } = given;
  const messageOf = async (): Promise<string> => JSON.stringify((await refusalOf(create(given, quick))).status);
  fake.refusePods(() => admissionRefusals.webhook('images.example.com', 'no such registry'));
  assert.match(await messageOf(), /admission webhook \\"images.example.com\\" denied the request: no such registry/);
  fake.refusePods(admissionRefusals.podSecurity);
  assert.match(await messageOf(), /pods \\"quick\\" is forbidden: violates PodSecurity \\"restricted:latest\\"/);
  fake.refusePods(admissionRefusals.terminatingNamespace);
  assert.match(await messageOf(), /NamespaceTerminating/);
  fake.refusePods(null);
  await create(given, quick);
});

check('what is not permitted is refused, and told when it is asked', async (given) => {
  const { fake, api, config } = given;
  fake.permissions.deny({ verb: 'create', resource: 'pods' });
  const message =
    'pods is forbidden: User "contender" cannot create resource "pods" in API group "" in the namespace "default"';
  const details = { kind: 'pods' };
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message };
  assert.deepEqual(await refusalOf(create(given, quick)), {
    code: 403,
    status: { ...status, reason: 'Forbidden', details, code: 403 },
  });
  fake.permissions.deny({ verb: 'get', resource: 'pods/log' });
  const refused = await refusalOf(api.readNamespacedPodLog({ namespace: 'default', name: 'quick' }));
  assert.match(JSON.stringify(refused.status), /cannot get resource \\"pods\/log\\"/);
  const review = config.makeApiClient(AuthorizationV1Api);
  const attributes = { namespace: 'default', verb: 'get', resource: 'pods', subresource: 'log' };
  const asked = await review.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes: attributes } } });
  assert.equal(asked.status?.allowed, false);
  fake.permissions.allowAll();
  await create(given, quick);
});
