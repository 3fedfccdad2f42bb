/** Ten minutes without the API of the cluster, in each way in which it can be away: nothing is lost, and nothing begun twice. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createApi } from '../../../src/executor/kubernetes/api.ts';
import { failure } from '../../support/kubernetes/status.ts';
import { statuses } from '../../support/kubernetes/faults.ts';
import type { FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { shell, specOf, until } from '../workshop.ts';
import { check, container, running, said } from './under-faults.ts';

const awayMs = 600_000;

const hasEnded = ({ status }: Pod): boolean =>
  status.containerStatuses?.some(({ name, state }) => name === 'main' && state?.terminated !== undefined) ?? false;

/** Gives the function that ends it. */
type Away = (fake: FakeKubernetes) => Promise<() => Promise<void>>;

const answers =
  (status: ReturnType<typeof failure>): Away =>
  async (fake) => {
    fake.faults.add(() => true, { kind: 'refuse', status }, Infinity);
    fake.cutStreams('reset');
    return async () => fake.faults.clear();
  };

const ways: { readonly [how: string]: Away } = {
  'refuses connections': async (fake) => {
    await fake.leave();
    return () => fake.comeBack();
  },
  hangs: async (fake) => {
    const back = Promise.withResolvers<void>();
    fake.faults.add(() => true, { kind: 'wait', until: back.promise }, Infinity);
    fake.cutStreams('silence');
    return async () => {
      fake.faults.clear();
      back.resolve();
    };
  },
  'answers 401': answers(statuses.unauthorized()),
  'answers 403': answers(failure(403, 'Forbidden', 'pods is forbidden: User "u" cannot list resource "pods"')),
  'answers 500': answers(statuses.internalError()),
  'answers 503': answers(statuses.unavailable()),
};

for (const [how, leave] of Object.entries(ways)) {
  const settings = { lostMs: 120_000, startMs: 120_000 };
  check(
    `an API that ${how} for ten minutes changes no verdict`,
    async ({ fake, harbour, pass, passUnseen }) => {
      const { executor } = harbour;
      const isEnded = (id: string): boolean =>
        harbour.reports.some(({ type, attemptId }) => type === 'finished' && attemptId === id);
      const go = join(harbour.folder, 'go');
      const runs = specOf(shell('echo "begun $CONTENDER_ATTEMPT_ID"; sleep 600'));
      const ends = specOf(
        container(`until [ -e ${go} ]; do sleep 0.05; done; echo '{"a":1}' > /contender/outputs.json`),
        { timeoutMs: 120_000 },
      );
      for (const { attemptId } of [runs, ends].map((spec) => (void executor.start(spec), spec)))
        await harbour.running(attemptId);
      fake.scheduling.hold();
      const waits = specOf(shell('true'));
      await executor.start(waits);
      await until('its pod', () => fake.pods().length === 3);
      await until('its wait', async () =>
        (await harbour.log(waits.attemptId)).some((line) => line.startsWith('Its pod')),
      );

      const comeBack = await leave(fake);
      const asked = specOf(shell('true'), { startMs: 60_000 });
      if (how !== 'answers 403') await executor.start(asked);
      await writeFile(go, '');
      await until('the end of the container', () => fake.pods().some((pod) => hasEnded(pod)));
      passUnseen(awayMs);
      const [creates, lists] = [fake.count('create', 'pods'), fake.count('list', 'pods')];
      // Its time has passed by the clock alone when it is refused once more.
      if (how.startsWith('answers 5')) await until('its next refusal', () => fake.count('create', 'pods') > creates);
      await comeBack();
      await until('the next list and watch', () => fake.count('list', 'pods') > lists && fake.streams.size > 0);
      await pass(30_000);
      const ids = [runs, waits].map(({ attemptId }) => attemptId);
      assert.deepEqual(
        ids.filter((id) => isEnded(id)),
        [],
      );
      fake.scheduling.release();
      assert.equal(said((await harbour.finished(ends.attemptId)).outcome), 'succeeded');
      assert.equal(said((await harbour.finished(waits.attemptId)).outcome), 'succeeded');
      if (how !== 'answers 403') assert.equal(said((await harbour.finished(asked.attemptId)).outcome), 'succeeded');
      assert.ok(!isEnded(runs.attemptId));
      assert.equal((await harbour.log(runs.attemptId)).filter((line) => line === `begun ${runs.attemptId}`).length, 1);
      await executor.stop(runs.attemptId, 'cancelled', 0);
      await harbour.finished(runs.attemptId);
    },
    { ...settings, waitMs: 100, logPatienceMs: 1000 },
  );
}

check('the grace of a pod that its node has not heard of begins anew when the cluster is back', async (given) => {
  const { fake, harbour, pass, passUnseen } = given;
  const { id } = await running(given);
  fake.disturbances.loseNode();
  await harbour.executor.stop(id, 'cancelled', 0);
  await until('its deletion', () => fake.pods()[0]?.metadata.deletionTimestamp !== undefined);
  await fake.leave();
  passUnseen(awayMs);
  await fake.comeBack();
  await until('the next watch', () => fake.streams.size > 0);
  await pass(30_000);
  assert.deepEqual([fake.count('delete', 'pods'), fake.pods().length], [1, 1]);
  assert.ok(!harbour.reports.some(({ type }) => type === 'finished'), 'something of it may run');
  fake.disturbances.findNode();
  assert.match(said((await harbour.finished(id)).outcome), /^cancelled: /);
});

test('a cluster that is asked too much is left alone by all who ask, for as long as it says', async (t) => {
  const fake = await startClusterWithRunner();
  t.after(() => fake.close());
  const rested = Promise.withResolvers<void>();
  const rests: number[] = [];
  const rest = (ms: number): Promise<void> => {
    rests.push(ms);
    return rested.promise;
  };
  const api = createApi(settingsFor(fake).loadConfig, { rest });
  const path = '/api/v1/namespaces/default/pods';
  fake.faults.add(({ verb }) => verb === 'create', { kind: 'refuse', status: statuses.tooManyRequests(7) });
  await assert.rejects(api.request('POST', path, { body: {} }), /too many requests/);
  const listed = api.request('GET', path);
  // By others, who are answered meanwhile.
  for (let asked = 0; asked < 3; asked += 1) await (await fetch(`${fake.url}/version`)).text();
  assert.deepEqual([rests, fake.count('list')], [[7000], 0]);
  rested.resolve();
  await listed;
  assert.equal(fake.count('list'), 1);
});

test('a log or watch that is asked for too much has all others rest too', async (t) => {
  const fake = await startClusterWithRunner();
  t.after(() => fake.close());
  const rested = Promise.withResolvers<void>();
  const api = createApi(settingsFor(fake).loadConfig, { rest: () => rested.promise });
  const path = '/api/v1/namespaces/default/pods';
  fake.faults.add(({ verb }) => verb === 'watch', { kind: 'refuse', status: statuses.tooManyRequests(7) });
  await assert.rejects(api.stream(path, { watch: true }, t.signal), /too many requests/);
  const listed = api.request('GET', path);
  for (let asked = 0; asked < 3; asked += 1) await (await fetch(`${fake.url}/version`)).text();
  assert.equal(fake.count('list'), 0);
  rested.resolve();
  await listed;
});

test('nobody waits for a cluster that is to be left alone when it is not asked any more', async (t) => {
  const fake = await startClusterWithRunner();
  t.after(() => fake.close());
  const closing = new AbortController();
  const api = createApi(settingsFor(fake).loadConfig, { closing: closing.signal });
  const path = '/api/v1/namespaces/default/pods';
  fake.faults.add(({ verb }) => verb === 'create', { kind: 'refuse', status: statuses.tooManyRequests(30) });
  await assert.rejects(api.request('POST', path, { body: {} }), /too many requests/);
  const listed = api.request('GET', path);
  closing.abort();
  await assert.rejects(listed, /is not asked any more/);
  assert.equal(fake.count('list'), 0);
});
