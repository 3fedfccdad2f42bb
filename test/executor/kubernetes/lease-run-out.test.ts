/** A server that may not conduct any more, and does not know it yet, touches no pod. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, createApi, type Api } from '../../../src/executor/kubernetes/api.ts';
import { podLabels } from '../../../src/executor/kubernetes/pod.ts';
import { createReaper } from '../../../src/executor/kubernetes/reaper.ts';
import { shell, specOf, until } from '../workshop.ts';
import { settingsFor } from './fake-runner.ts';
import { check, running, said } from './under-faults.ts';

let isTrusted = true;

check(
  'a server whose lease may have run out makes and ends no pod, whatever it sees',
  async (given) => {
    const { fake, harbour } = given;
    isTrusted = true;
    const { id, pod } = await running(given);
    isTrusted = false;
    const asked = specOf(shell('true'));
    await harbour.executor.start(asked);
    const api = createApi(settingsFor(fake).loadConfig);
    const path = '/api/v1/namespaces/default/pods';
    const metadata = { name: 'of-the-next', labels: { [podLabels.instance]: harbour.instance } };
    const spec = {
      restartPolicy: 'Never',
      containers: [{ name: 'main', image: 'busybox:local', command: ['sleep', '60'] }],
    };
    await api.request('POST', path, { body: { metadata, spec } });
    await api.request('DELETE', `${path}/${pod.metadata.name}`, { body: { gracePeriodSeconds: 0 } });
    const watches = fake.count('watch', 'pods');
    fake.cutStreams('reset', ({ verb }) => verb === 'watch');
    await until('a list and a watch', () => fake.count('watch', 'pods') > watches);
    assert.deepEqual([fake.count('create', 'pods'), fake.count('delete', 'pods')], [2, 1]);
    assert.deepEqual(
      harbour.reports.filter(({ type }) => type === 'finished'),
      [],
    );
    await api.request('DELETE', `${path}/of-the-next`, { body: { gracePeriodSeconds: 0 } });

    isTrusted = true;
    const { executor } = await harbour.next();
    await executor.recover([id, asked.attemptId]);
    assert.match(said((await harbour.finished(id)).outcome), /^lost: /);
    assert.equal(said((await harbour.finished(asked.attemptId)).outcome), 'succeeded');
  },
  { trusted: () => isTrusted },
);

test('a pod that could not be removed before the lease ran out is left to the next server', async () => {
  let [requests, questions] = [0, 0];
  const api: Api = {
    request() {
      requests += 1;
      return Promise.reject(new ApiError('try again', 503, 'ServiceUnavailable', 0));
    },
    stream: () => assert.fail('nothing is watched'),
  };
  const mayAct = (): boolean => (questions += 1) === 1;
  const trouble = (): undefined => undefined;
  const reaper = createReaper({ api, clock: { now: Date.now }, hasStayed: () => true, trouble, mayAct });
  reaper.take({ namespace: 'default', name: 'pod', uid: 'uid' }, 0);
  await until('the second question', () => questions > 1 || requests > 1);
  reaper.close();
  assert.equal(requests, 1);
});

test('a removal that is refused again and again is told once, until other words are said', async () => {
  const words = ['no', 'no', 'no', 'no', 'never', 'never'];
  const told: string[] = [];
  const api: Api = {
    request: () => Promise.reject(new ApiError(words.shift() ?? '', 403, 'Forbidden', 0)),
    stream: () => assert.fail('nothing is watched'),
  };
  const trouble = (error: unknown): void => void told.push((error as Error).message);
  const mayAct = (): boolean => words.length > 0;
  const reaper = createReaper({ api, clock: { now: Date.now }, hasStayed: () => null, trouble, mayAct });
  reaper.take({ namespace: 'default', name: 'pod', uid: 'uid' }, 0);
  await until('the last words', () => words.length === 0);
  reaper.close();
  assert.deepEqual(told.slice(0, 2), ['no', 'never']);
});
