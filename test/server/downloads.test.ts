/** Artifacts over HTTP: as they are read from the store, whole and right or broken off, and so many at once. */
import assert from 'node:assert/strict';
import { chmod, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer } from '../../src/server/server.ts';
import type { ArtifactStreams } from '../../src/outputs/outputs.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';

let repository: TestRepository;
let system: TestSystem;

before(async () => {
  repository = createRepository();
  repository.commit('Begin', { 'README.md': 'hello' });
  system = await openTestSystem(repository, { watch: false });
});
after(async () => {
  await system.close();
  repository.remove();
});

type Server = Awaited<ReturnType<typeof createServer>>;

async function serve(artifacts: ArtifactStreams, errors: string[] = []): Promise<Server> {
  const log = { error: (_fields: Readonly<Record<string, unknown>>, message: string) => void errors.push(message) };
  return createServer({ ...system, artifacts, apiToken: 'token', version: '0', log });
}

/** A store whose artifacts have one part, and the rest when they are let go on. */
function slowStore(): {
  readonly artifacts: ArtifactStreams;
  readonly opened: () => number;
  readonly goOn: () => void;
} {
  let opened = 0;
  const gate = Promise.withResolvers<void>();
  async function* content(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('first ');
    await gate.promise;
    yield Buffer.from('last');
  }
  const openVerified = async (): ReturnType<ArtifactStreams['openVerified']> => {
    opened += 1;
    return { bytes: 10, content: content() };
  };
  return { artifacts: { ...system.artifacts, openVerified }, opened: () => opened, goOn: gate.resolve };
}

const address = `/artifacts/${'a'.repeat(64)}`;

test('the first bytes leave before the last are read', async () => {
  const { artifacts, goOn } = slowStore();
  const app = await serve(artifacts);
  const { body } = await fetch(`${await app.listen({ port: 0, host: '127.0.0.1' })}${address}`);
  assert.ok(body);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, 'first ');
  goOn();
  assert.equal((await reader.read()).value, 'last');
  await app.close();
});

test('an artifact of any size comes whole, also one without a byte', async () => {
  const app = await serve(system.artifacts);
  for (const size of [0, 1, 3_000_000]) {
    const bytes = Buffer.alloc(size, 'model');
    const { $artifact } = await system.artifacts.putBytes(bytes, 'model');
    const { statusCode, rawPayload, headers } = await app.inject({ url: `/artifacts/${$artifact}` });
    assert.deepEqual([statusCode, Number(headers['content-length'])], [200, size]);
    assert.ok(rawPayload.equals(bytes));
  }
  await app.close();
});

test('a damaged artifact is broken off, and a short one has a page that says so', async () => {
  const errors: string[] = [];
  const app = await serve(system.artifacts, errors);
  const server = await app.listen({ port: 0, host: '127.0.0.1' });
  const short = await fetch(`${server}/artifacts/${await damaged(100)}`);
  assert.deepEqual([short.status, short.headers.get('cache-control')], [500, 'no-store']);
  assert.equal(short.headers.get('content-disposition'), null);
  assert.match(await short.text(), /The cause stands in its log/);
  const long = await fetch(`${server}/artifacts/${await damaged(3_000_000)}`);
  assert.equal(long.status, 200);
  await assert.rejects(long.arrayBuffer());
  assert.deepEqual(errors, ['a page failed', 'a download was broken off']);
  await app.close();
});

async function damaged(size: number): Promise<string> {
  const { $artifact: sha256 } = await system.artifacts.putBytes(Buffer.alloc(size, 'right'), 'model');
  const kept = join(repository.folder, '.contender', 'artifacts', sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  await chmod(kept, 0o644);
  await truncate(kept, 0);
  await writeFile(kept, Buffer.alloc(size, 'wrong'));
  return sha256;
}

test('eight downloads go at once, and the next ones are told to come again', async () => {
  const { artifacts, opened, goOn } = slowStore();
  const app = await serve(artifacts);
  const server = await app.listen({ port: 0, host: '127.0.0.1' });
  const downloads = await Promise.all(Array.from({ length: 8 }, () => fetch(`${server}${address}`)));
  const refused = await fetch(`${server}${address}`);
  assert.deepEqual([refused.status, refused.headers.get('retry-after'), opened()], [503, '10', 8]);
  assert.match(await refused.text(), /8 downloads are under way/);
  // Whoever goes away leaves a place.
  await downloads[0]?.body?.cancel();
  let again = await fetch(`${server}${address}`);
  while (again.status === 503) again = await fetch(`${server}${address}`);
  goOn();
  const rest = await Promise.all([...downloads.slice(1), again].map((download) => download.text()));
  assert.deepEqual(new Set(rest), new Set(['first last']));
  await app.close();
});
