/** The pages of models, on registries of which the test knows what is asked. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { openMirror } from '../../src/git/mirror.ts';
import { openGitRegistry } from '../../src/registry/git.ts';
import { openMemoryRegistry } from '../../src/registry/memory.ts';
import type { ModelRegistry } from '../../src/registry/registry.ts';
import { createServer } from '../../src/server/server.ts';
import { value } from '../contract/git-repository.ts';
import { promotionOf } from '../contract/model-registry.ts';
import { makeRemote, temporaryFolder } from '../support/git-remote.ts';
import { openRegistryOf } from '../support/git-registry.ts';
import { createRepository, openTestSystem } from '../support/test-system.ts';

async function serverOn(t: TestContext, registry: ModelRegistry): Promise<FastifyInstance> {
  const repository = createRepository();
  const system = await openTestSystem(repository, { watch: false });
  const projects = new Map([...system.projects].map(([name, project]) => [name, { ...project, registry }]));
  const log = { error: () => undefined };
  const app = await createServer({ ...system, projects, apiToken: 'token', version: '0', log });
  t.after(async () => {
    await app.close();
    await system.close();
    repository.remove();
  });
  return app;
}

async function promoteMany(registry: ModelRegistry, model: string, versions: number): Promise<void> {
  for (let version = 1; version <= versions; version += 1)
    value(await registry.promote(promotionOf(model, `${model} ${version}`, version === 1 ? null : version - 1)));
}

test('however many models and visitors there are, the remote is asked once, and fetched from once', async (t) => {
  const remote = makeRemote(t);
  const names = ['ant', 'bee', 'cat', 'dog', 'elk'];
  const writer = openRegistryOf(t, remote);
  for (const name of names) await promoteMany(writer, name, 1);
  const mirror = openMirror({ url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  t.after(() => mirror.close());
  const asked: string[] = [];
  const repository = new Proxy(mirror, {
    get(target, name, receiver) {
      if (['fetch', 'branchTip', 'ensure', 'remoteBranches', 'remoteRefs'].includes(String(name)))
        asked.push(String(name));
      return Reflect.get(target, name, receiver);
    },
  });
  // One reading serves all of them, however long it takes.
  t.mock.method(performance, 'now', () => 0);
  const app = await serverOn(t, openGitRegistry({ repository }));
  while ((await app.inject({ url: '/models' })).body.includes('has not answered yet'));
  const pages = await Promise.all(['/models', '/models', '/models/cat'].map((url) => app.inject({ url })));
  for (const { statusCode } of pages) assert.equal(statusCode, 200);
  for (const name of names) assert.ok(pages[0]?.body.includes(`href="/models/${name}"`), name);
  assert.match((await app.inject({ url: '/models/elk' })).body, /champion v1/);
  assert.deepEqual(asked, ['remoteBranches', 'ensure']);
});

test('models that cannot be read now are shown as they were, with why and since when', async (t) => {
  let passedMs = 0;
  const { performance } = globalThis;
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + passedMs);
  const registry = openMemoryRegistry();
  await promoteMany(registry, 'churn', 1);
  const app = await serverOn(t, registry);
  assert.doesNotMatch((await app.inject({ url: '/models' })).body, /could not be read/);
  await promoteMany(registry, 'fraud', 1);
  registry.setUnreachable(true);
  passedMs = 60_000;
  for (const url of ['/models', '/models/churn']) {
    const { statusCode, body } = await app.inject({ url });
    assert.equal(statusCode, 200);
    assert.match(body, /churn/);
    assert.match(body, /could not be read: the registry cannot be reached.*What is shown was read/s);
  }
  assert.equal((await app.inject({ url: '/models/fraud' })).statusCode, 503);
  const restarted = await serverOn(t, registry);
  assert.match(
    (await restarted.inject({ url: '/models/fraud' })).body,
    /could not be read.*champion v1|champion v1.*could not be read/s,
  );
});

test('a registry that does not answer holds no page up', async (t) => {
  const registry = openMemoryRegistry();
  await promoteMany(registry, 'churn', 1);
  const { promise: models, resolve: answer } = Promise.withResolvers<void>();
  const silent = { ...registry, models: () => models.then(() => registry.models()) };
  const app = await serverOn(t, silent);
  assert.match((await app.inject({ url: '/models' })).body, /has not answered yet.*churn/s);
  answer();
});

test('the versions of a model come in parts', async (t) => {
  const registry = openMemoryRegistry();
  await promoteMany(registry, 'churn', 53);
  const app = await serverOn(t, registry);
  const versions = (body: string): readonly number[] =>
    [...body.matchAll(/\/runs\/run%20of%20churn%20(\d+)"/g)].map(([, number]) => Number(number));
  const newest = (await app.inject({ url: '/models/churn' })).body;
  const shown = versions(newest);
  assert.deepEqual([shown.includes(53), shown.includes(4), shown.includes(3)], [true, true, false]);
  assert.match(newest, /href="\/models\/churn\?before=4" rel="next"/);
  const older = (await app.inject({ url: '/models/churn?before=4' })).body;
  assert.deepEqual([versions(older).includes(3), versions(older).includes(4)], [true, false]);
  assert.match(older, /href="\/models\/churn">Newest/);
  assert.doesNotMatch(older, /rel="next"/);
  assert.match((await app.inject({ url: '/models/churn?before=1' })).body, /No older versions/);
  assert.match((await app.inject({ url: '/models/churn?before=x' })).body, /before=4/);
});
