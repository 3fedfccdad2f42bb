/** Who is away at a real cluster: an agent that hangs, the API, and the token that it knew. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test, type TestContext } from 'node:test';
import { createApi } from '../../src/executor/kubernetes/api.ts';
import { loadKubeConfig } from '../../src/executor/kubernetes/kube-config.ts';
import { run } from '../cluster/command.ts';
import { openHarbour, type Harbour, type HarbourOptions } from '../executor/kubernetes/harbour.ts';
import { createTime } from '../executor/kubernetes/server-time.ts';
import { said } from '../executor/kubernetes/under-faults.ts';
import { shell, specOf, until } from '../executor/workshop.ts';
import { openApiProxy, status } from './api-proxy.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { agentsOf, processesOf } from './pod-processes.ts';
import { asGiven, settingsIn, through } from './settings.ts';

let namespace: Namespace;

before(async () => {
  namespace = await makeNamespace();
});

afterEach(() => namespace.clear('pods'));

after(async () => {
  await namespace.remove();
});

async function harbourOf(t: TestContext, options: Partial<HarbourOptions>): Promise<Harbour> {
  const harbour = await openHarbour({ ...settingsIn(namespace.name), ...options });
  t.after(() => harbour.close());
  return harbour;
}

const begins = async (harbour: Harbour, id: string): Promise<number> =>
  (await harbour.log(id)).filter((line) => line === `begun ${id}`).length;
const begun = (rest: string): ReturnType<typeof shell> => shell(`echo "begun $CONTENDER_ATTEMPT_ID"; ${rest}`);
const isEnded = ({ reports }: Harbour, id: string): boolean =>
  reports.some(({ type, attemptId }) => type === 'finished' && attemptId === id);

async function podOf(harbour: Harbour, id: string): Promise<string> {
  await until('its line', async () => (await begins(harbour, id)) > 0);
  const word = await harbour.running(id);
  const pod = 'place' in word ? /^pod (\S+)/.exec(word.place)?.[1] : undefined;
  assert.ok(pod);
  return pod;
}

test('an agent that was stopped is lost, and so are its processes and its pod before that is told', async (t) => {
  const harbour = await harbourOf(t, { lostMs: 20_000, waitMs: 500 });
  const [frozen, other] = [specOf(begun('sleep 600')), specOf(begun('sleep 600'))];
  for (const spec of [frozen, other]) await harbour.executor.start(spec);
  await podOf(harbour, other.attemptId);
  const pod = await podOf(harbour, frozen.attemptId);
  const agents = agentsOf(pod);
  assert.equal(agents.length, 1, 'the node is this machine');
  for (const agent of agents) process.kill(agent, 'SIGSTOP');
  const { outcome } = await harbour.finished(frozen.attemptId);
  assert.match(
    said(outcome),
    /^lost: nothing was heard of its agent for 20\.0 s, though its pod runs on \S+: it hangs\. See whether .*`lostAfter`/,
  );
  assert.deepEqual([processesOf(pod), await namespace.has(`pod/${pod}`)], [[], false]);
  const retry = { ...specOf(begun('true')), attemptId: frozen.attemptId.replace(/1$/, '2') };
  await harbour.executor.start(retry);
  assert.equal(said((await harbour.finished(retry.attemptId)).outcome), 'succeeded');
  assert.ok(!isEnded(harbour, other.attemptId), 'who speaks goes on');
  await harbour.executor.stop(other.attemptId, 'cancelled', 1000);
  await harbour.finished(other.attemptId);
  await namespace.waitForNone('pods');
});

for (const [how, mood] of [
  ['refuses', { kind: 'refuse' }],
  ['answers 401', { kind: 'answer', status: 401, body: status(401, 'Unauthorized', 'Unauthorized') }],
  ['answers 503', { kind: 'answer', status: 503, body: status(503, 'ServiceUnavailable', 'no') }],
] as const)
  test(`an API that ${how} for ten minutes of the server's time changes no verdict`, async (t) => {
    const proxy = await openApiProxy(process.env['KUBECONFIG'] ?? '');
    t.after(() => proxy.close());
    const time = createTime(async () => undefined);
    const loadConfig = through(proxy);
    const harbour = await harbourOf(t, { loadConfig, ...time, lostMs: 120_000, startMs: 120_000, waitMs: 500 });
    const [runs, ends, asked] = [begun('sleep 600'), begun('sleep 3'), begun('true')].map((work) => specOf(work));
    const large = specOf(begun('true'));
    const waits = { ...large, context: { ...large.context, memoryBytes: 2 ** 50 } };
    assert.ok(runs && ends && asked);
    for (const spec of [runs, ends, waits]) await harbour.executor.start(spec);
    for (const { attemptId } of [runs, ends]) await podOf(harbour, attemptId);
    await until('its wait', async () =>
      (await harbour.log(waits.attemptId)).some((line) => line.startsWith('Its pod')),
    );
    const comeBack = proxy.when(() => true, mood);
    proxy.cut();
    await harbour.executor.start(asked);
    assert.equal(said((await harbour.finished(ends.attemptId)).outcome), 'succeeded', 'its agent says so');
    time.passUnseen(600_000);
    comeBack();
    assert.equal(said((await harbour.finished(asked.attemptId)).outcome), 'succeeded');
    for (const { attemptId } of [runs, waits]) assert.ok(!isEnded(harbour, attemptId), attemptId);
    for (const { attemptId } of [runs, ends, asked]) assert.equal(await begins(harbour, attemptId), 1);
    for (const { attemptId } of [runs, waits]) {
      await harbour.executor.stop(attemptId, 'cancelled', 1000);
      assert.match(said((await harbour.finished(attemptId)).outcome), /^cancelled: /);
    }
    await namespace.waitForNone('pods');
  });

test('a token of an account that is replaced in its file is read again, by what watches and by what asks', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'token-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const server = { kind: 'ServiceAccount', name: 'server', namespace: namespace.name };
  await namespace.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: server.name } });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' };
  const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: server.name } };
  await namespace.create({ ...binding, subjects: [server], roleRef });
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  /** Worth as much as the secret that it is bound to. */
  const tokenOf = async (secret: string): Promise<string> => {
    await namespace.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: secret } });
    const bound = ['--bound-object-kind=Secret', `--bound-object-name=${secret}`];
    return run('kubectl', ['--namespace', namespace.name, 'create', 'token', server.name, ...bound]);
  };
  const config = JSON.parse(await run('kubectl', ['config', 'view', '--raw', '--minify', '--output=json'])) as {
    clusters: readonly { readonly cluster: object }[];
  };
  const cluster = config.clusters[0]?.cluster;
  const kubeconfig = (user: object): string =>
    JSON.stringify({
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });
  const first = await tokenOf('first');
  const tokenFile = await write('token', first);
  const path = await write('kubeconfig', kubeconfig({ tokenFile }));
  const loadConfig = (client: Parameters<typeof asGiven>[0]): ReturnType<typeof asGiven> => {
    const loaded = loadKubeConfig(client, { kubeconfig: path, context: null });
    // As a pod is given it: the client keeps what it has read for a minute.
    loaded.users = [{ name: 'u', authProvider: { name: 'tokenFile', config: { tokenFile } } }];
    return loaded;
  };
  const harbour = await harbourOf(t, { loadConfig });
  const spec = specOf(begun('sleep 600'));
  await harbour.executor.start(spec);
  await podOf(harbour, spec.attemptId);
  const second = await tokenOf('second');
  await namespace.remove('secret/first');
  const old = await write('old', kubeconfig({ token: first }));
  const api = createApi((client) => loadKubeConfig(client, { kubeconfig: old, context: null }));
  const ask = (): Promise<object> => api.request('GET', `/api/v1/namespaces/${namespace.name}/pods`);
  await until('the first token to be refused', () =>
    ask().then(
      () => false,
      () => true,
    ),
  );
  await write('token', second);
  assert.equal(said(await harbour.run(begun('true'))), 'succeeded');
  await harbour.executor.stop(spec.attemptId, 'cancelled', 1000);
  assert.match(said((await harbour.finished(spec.attemptId)).outcome), /^cancelled: /);
  await namespace.waitForNone('pods');
});
