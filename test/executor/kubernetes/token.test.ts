/** A token that is replaced under a server that runs: the new one is found where the old one was. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import type { KubeConfig } from '@kubernetes/client-node';
import { ApiError, createApi, type Api } from '../../../src/executor/kubernetes/api.ts';
import { execIn } from '../../../src/executor/kubernetes/exec.ts';
import { loadKubeConfig } from '../../../src/executor/kubernetes/kube-config.ts';
import type { FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import { shell, specOf, until } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { openHarbour } from './harbour.ts';

type Client = typeof import('@kubernetes/client-node');

interface Given {
  readonly fake: FakeKubernetes;
  readonly folder: string;
  readonly file: (name: string, text: string) => Promise<string>;
}

async function given(t: TestContext): Promise<Given> {
  const fake = await startClusterWithRunner();
  const folder = await mkdtemp(join(tmpdir(), 'token-'));
  t.after(() => Promise.all([fake.close(), rm(folder, { recursive: true, force: true })]));
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  return { fake, folder, file };
}

const pods = '/api/v1/namespaces/default/pods';

/** A file of a user whose credentials are these, at the fake. */
function kubeconfig({ url }: FakeKubernetes, user: object): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'server', user }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'server' } }],
    'current-context': 'fake',
  });
}

const load =
  (path: string) =>
  (client: Client): KubeConfig =>
    loadKubeConfig(client, { kubeconfig: path, context: null });

/** As a pod is given it: a file that the client looks into once a minute. */
const inCluster =
  (fake: FakeKubernetes, tokenFile: string) =>
  (client: Client): KubeConfig => {
    const config = new client.KubeConfig();
    const authProvider = { name: 'tokenFile', config: { tokenFile } };
    config.loadFromClusterAndUser({ name: 'c', server: fake.url, skipTLSVerify: true }, { name: 'u', authProvider });
    return config;
  };

async function asks(api: Api): Promise<string> {
  return api.request('GET', pods).then(
    () => 'answered',
    (error: unknown) => (error instanceof ApiError ? String(error.status) : String(error)),
  );
}

test('a token that was replaced in its file is read again when the old one is refused, and the request is made once more', async (t) => {
  const { fake, file } = await given(t);
  fake.acceptToken('first');
  const path = await file('token', 'first');
  const api = createApi(inCluster(fake, path));
  assert.equal(await asks(api), 'answered');
  fake.acceptToken('second');
  assert.equal(await asks(api), '401', 'nobody has replaced it yet');
  await file('token', 'second');
  const requests = fake.requests.length;
  assert.deepEqual(await Promise.all(Array.from({ length: 5 }, () => asks(api))), Array(5).fill('answered'));
  assert.ok(fake.requests.length - requests <= 10);
  const stream = await api.stream(pods, { watch: true }, AbortSignal.timeout(10_000));
  await stream.cancel();
  assert.equal(fake.count('watch'), 1);
});

test('a token that is refused again is told as refused, after one more request', async (t) => {
  const { fake, file } = await given(t);
  const api = createApi(inCluster(fake, await file('token', 'wrong')));
  assert.equal(await asks(api), '401');
  assert.equal(fake.requests.length, 2);
});

test('a kubeconfig that is gone or half written when it is read again is no end of what was known', async (t) => {
  const { fake, file } = await given(t);
  fake.acceptToken('first');
  const path = await file('kubeconfig', kubeconfig(fake, { token: 'first' }));
  const api = createApi(load(path));
  assert.equal(await asks(api), 'answered');
  fake.acceptToken('second');
  await file('kubeconfig', '{');
  assert.equal(await asks(api), '401');
  await file('kubeconfig', kubeconfig(fake, { token: 'second' }));
  assert.equal(await asks(api), 'answered');
});

test('a kubeconfig may name the file of a token, as kubectl has it', async (t) => {
  const { fake, file } = await given(t);
  fake.acceptToken('first');
  await file('token', 'first\n');
  const api = createApi(load(await file('kubeconfig', kubeconfig(fake, { tokenFile: 'token' }))));
  assert.equal(await asks(api), 'answered');
  fake.acceptToken('second');
  await file('token', 'second\n');
  assert.equal(await asks(api), 'answered');
});

test('a program that gives tokens is asked again when the one it gave is refused', async (t) => {
  const { fake, file } = await given(t);
  fake.acceptToken('first');
  await file('token', 'first');
  const status = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}';
  const program = await file('give', `#!/bin/sh\nprintf '${status}' "$(cat "$(dirname "$0")/token")"\n`);
  await chmod(program, 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: program, args: [] };
  const api = createApi(load(await file('kubeconfig', kubeconfig(fake, { exec }))));
  assert.equal(await asks(api), 'answered');
  fake.acceptToken('second');
  await file('token', 'second');
  assert.equal(await asks(api), 'answered');
});

test('a command in a container is asked for with the token that is in the file then', async (t) => {
  const { fake, file } = await given(t);
  const asked: (string | undefined)[] = [];
  const server = createServer().on('upgrade', ({ headers }, socket) => {
    asked.push(headers.authorization);
    socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const path = await file('token', 'first');
  const loadConfig = inCluster({ ...fake, url: `http://127.0.0.1:${address.port}` }, path);
  const streams = { kind: 'streams', input: null, output: new PassThrough(), errors: new PassThrough() } as const;
  const where = { namespace: 'default', pod: 'p', container: 'main', command: ['true'], streams };
  const tryIt = (): Promise<unknown> => execIn(loadConfig, { ...where, signal: AbortSignal.timeout(10_000) });
  await assert.rejects(tryIt(), /401/);
  await file('token', 'second');
  await assert.rejects(tryIt(), /401/);
  assert.deepEqual(asked, ['Bearer first', 'Bearer second']);
});

test('what runs while the token is replaced goes on, and what begins after that begins', async (t) => {
  const { fake, file } = await given(t);
  fake.acceptToken('first');
  const path = await file('token', 'first');
  const harbour = await openHarbour({ ...settingsFor(fake), loadConfig: inCluster(fake, path) });
  t.after(() => harbour.close());
  const spec = specOf(shell('sleep 600'));
  await harbour.executor.start(spec);
  await harbour.running(spec.attemptId);
  fake.acceptToken('second');
  await file('token', 'second');
  const watches = fake.count('watch', 'pods');
  fake.cutStreams('reset', ({ verb }) => verb === 'watch');
  await until('the next watch', () => fake.count('watch', 'pods') > watches && fake.streams.size > 0);
  assert.equal((await harbour.run(shell('true'))).kind, 'succeeded');
  await harbour.executor.stop(spec.attemptId, 'cancelled', 0);
  const { outcome } = await harbour.finished(spec.attemptId);
  assert.equal(outcome.kind === 'failed' && outcome.cause, 'cancelled');
  assert.deepEqual(harbour.troubles, []);
});
