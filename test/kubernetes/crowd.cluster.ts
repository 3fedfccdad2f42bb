/** More attempts at once than a quota lets a namespace have pods, on a real cluster. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openHarbour, type Harbour } from '../executor/kubernetes/harbour.ts';
import { shell, specOf } from '../executor/workshop.ts';
import { openApiProxy, type ApiProxy } from './api-proxy.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { settingsIn, through } from './settings.ts';

const [attempts, pods] = [60, 20];

let namespace: Namespace;
let proxy: ApiProxy;
let harbour: Harbour;

before(async () => {
  namespace = await makeNamespace();
  proxy = await openApiProxy(process.env['KUBECONFIG'] ?? '');
  harbour = await openHarbour({ ...settingsIn(namespace.name, through(proxy)), slots: attempts });
});

after(async () => {
  await harbour.close();
  await proxy.close();
  await namespace.clear('pods');
  await namespace.remove();
});

test('a quota holds pods back, each attempt runs once, and few requests are made for it', async () => {
  const hard = { pods: String(pods) };
  await namespace.create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'few' }, spec: { hard } });
  await namespace.waitFor('resourcequota/few', '{.status.hard.pods}', hard.pods);
  const specs = Array.from({ length: attempts }, () => specOf(shell('echo "begun $CONTENDER_ATTEMPT_ID"')));
  await Promise.all(specs.map((spec) => harbour.executor.start(spec)));
  let waited = 0;
  for (const { attemptId } of specs) {
    assert.equal((await harbour.finished(attemptId)).outcome.kind, 'succeeded');
    const log = await harbour.log(attemptId);
    assert.equal(log.filter((line) => line === `begun ${attemptId}`).length, 1);
    if (log.some((line) => line.includes('exceeded quota: few'))) waited += 1;
  }
  // Of those that come late some find room at once.
  assert.ok(waited > 0, 'none has waited');
  await namespace.waitForNone('pods');
  const ends = harbour.reports.filter(({ type }) => type === 'finished');
  assert.equal(ends.length, attempts);
  assert.ok(proxy.requests.length <= 6 * attempts, `${proxy.requests.length} requests`);
});
