/** Artifacts over HTTP: as they are read from the store, whole and right or broken off, and so many at once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
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

async function serve(artifacts: ArtifactStreams, errors: string[] = [], paths: unknown[] = []): Promise<Server> {
  const log = {
    error(fields: Readonly<Record<string, unknown>>, message: string): void {
      errors.push(message);
      paths.push(fields['path']);
    },
  };
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

/** A download of which the first bytes have come. */
async function begin(app: Server): Promise<ReadableStreamDefaultReader<string>> {
  const { body } = await fetch(`${await app.listen({ port: 0, host: '127.0.0.1' })}${address}`);
  assert.ok(body);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, 'first ');
  return reader;
}

test('the first bytes leave before the last are read', async () => {
  const { artifacts, goOn } = slowStore();
  const app = await serve(artifacts);
  const reader = await begin(app);
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

test('a damaged artifact is broken off, and a short one has a page that says so; no query is logged', async () => {
  const errors: string[] = [];
  const paths: unknown[] = [];
  const app = await serve(system.artifacts, errors, paths);
  const server = await app.listen({ port: 0, host: '127.0.0.1' });
  const ofShort = `/artifacts/${await damaged(100)}`;
  const short = await fetch(`${server}${ofShort}?token=correct-horse`);
  assert.deepEqual([short.status, short.headers.get('cache-control')], [500, 'no-store']);
  assert.equal(short.headers.get('content-disposition'), null);
  assert.match(await short.text(), /The cause stands in its log/);
  const ofLong = `/artifacts/${await damaged(3_000_000)}`;
  const long = await fetch(`${server}${ofLong}?token=correct-horse`);
  assert.equal(long.status, 200);
  await assert.rejects(long.arrayBuffer());
  assert.deepEqual(errors, ['a page failed', 'a download was broken off']);
  assert.deepEqual(paths, [ofShort, ofLong]);
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

/** A download that is read by hand. */
async function readByHand(t: TestContext, server: string): Promise<{ read(bytes: number): Promise<void> }> {
  const socket = connect(Number(new URL(server).port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(`GET ${address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  const read = async (bytes: number): Promise<void> => {
    for (let got = 0; got < bytes;) {
      const chunk: unknown = socket.read();
      if (Buffer.isBuffer(chunk)) got += chunk.length;
      else await once(socket, 'readable');
    }
  };
  await read(1);
  return { read };
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(64 * 1024);
}

test('downloads of which too little is taken are broken off and leave their places, and a slow one goes on', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const openVerified = async (): ReturnType<ArtifactStreams['openVerified']> => ({ bytes: 1e12, content: endless() });
  const errors: string[] = [];
  const app = await serve({ ...system.artifacts, openVerified }, errors);
  const server = await app.listen({ port: 0, host: '127.0.0.1' });
  const slow = await readByHand(t, server);
  const still = await Promise.all(Array.from({ length: 7 }, () => readByHand(t, server)));
  assert.equal((await fetch(`${server}${address}`)).status, 503);
  // What both kernels hold for a connection is taken at first.
  for (let round = 0; round < 20 && errors.length < still.length; round += 1) {
    await slow.read(32 * 1024 * 1024);
    t.mock.timers.tick(5 * 60_000);
  }
  const cause =
    'a download was broken off: less than 4 KiB/s of it were taken for 5 minutes. ' +
    'Begin it again over a faster connection, or copy the file of that hash from `artifacts` in the folder `shared`';
  assert.deepEqual(
    errors,
    still.map(() => cause),
  );
  await slow.read(32 * 1024 * 1024);
  let next = await fetch(`${server}${address}`);
  while (next.status === 503) next = await fetch(`${server}${address}`);
  assert.equal(errors.length, still.length);
  await next.body?.cancel();
  t.after(() => app.close());
});

test('a store that is slow breaks no download off', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { artifacts, goOn } = slowStore();
  const app = await serve(artifacts);
  const reader = await begin(app);
  t.mock.timers.tick(3_600_000);
  goOn();
  assert.equal((await reader.read()).value, 'last');
  await app.close();
});
