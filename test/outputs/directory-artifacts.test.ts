import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDirectoryArtifactStore } from '../../src/outputs/directory.ts';
import { artifactStoreKeepsItsContract } from '../contract/artifact-store.ts';

const kept = (directory: string, sha256: string): string =>
  join(directory, sha256.slice(0, 2), sha256.slice(2, 4), sha256);

artifactStoreKeepsItsContract('directory', async (directory) => ({
  store: createDirectoryArtifactStore({ directory }),
  async damage(sha256) {
    const path = kept(directory, sha256);
    const bytes = await readFile(path);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    await chmod(path, 0o644);
    await writeFile(path, bytes);
  },
}));

test('nothing but whole, read-only artifacts stands in the folders', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'artifacts-'));
  const store = createDirectoryArtifactStore({ directory, artifactBytesMax: 10 });
  await writeFile(join(directory, 'large'), 'more than ten bytes');
  await assert.rejects(store.putFile(join(directory, 'large'), 'large'), /10 bytes/);
  const artifact = await store.putBytes(Buffer.from('small'), 'small');
  assert.deepEqual(await readdir(join(directory, 'incoming')), []);
  assert.equal((await stat(kept(directory, artifact.$artifact))).mode & 0o777, 0o444);
  await rm(directory, { recursive: true });
});

test('a named pipe is refused instead of being waited for', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'artifacts-'));
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  await assert.rejects(
    createDirectoryArtifactStore({ directory }).putFile(join(directory, 'pipe'), 'pipe'),
    /not a regular file/,
  );
  await rm(directory, { recursive: true });
});

test('a stream is kept whole or not at all, and comes back as one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'artifacts-'));
  const store = createDirectoryArtifactStore({ directory });
  const parts = ['a ', 'long ', 'model'].map((part) => Buffer.from(part));
  const artifact = await store.putStream(from(parts), 'model');
  assert.deepEqual(artifact, await store.putBytes(Buffer.concat(parts), 'model'));
  const opened = await store.openStream(artifact.$artifact);
  assert.ok(opened);
  const read: Uint8Array[] = [];
  for await (const chunk of opened.content) read.push(chunk);
  assert.deepEqual([opened.bytes, Buffer.concat(read).toString()], [12, 'a long model']);
  await assert.rejects(store.putStream(from(parts, new Error('the line is cut')), 'half'), /the line is cut/);
  assert.deepEqual(await readdir(join(directory, 'incoming')), []);
  assert.equal(await store.openStream('0'.repeat(64)), null);
  await rm(directory, { recursive: true });
});

test('a stream that is verified breaks off before its last bytes where one of them is damaged', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'artifacts-'));
  const store = createDirectoryArtifactStore({ directory });
  for (const size of [0, 1, 1_000_000]) {
    const { $artifact: sha256 } = await store.putBytes(Buffer.alloc(size, 'model'), 'model');
    const path = kept(directory, sha256);
    const opened = await store.openVerified(sha256);
    assert.ok(opened);
    let whole = 0;
    for await (const chunk of opened.content) whole += chunk.length;
    assert.deepEqual([opened.bytes, whole], [size, size]);
    await chmod(path, 0o644);
    await writeFile(path, Buffer.alloc(Math.max(size, 1), 'wrong'));
    const damaged = await store.openVerified(sha256);
    assert.ok(damaged);
    let got = 0;
    await assert.rejects(async () => {
      for await (const chunk of damaged.content) got += chunk.length;
    }, /is damaged/);
    assert.ok(got < damaged.bytes, `${got} of ${damaged.bytes} bytes`);
  }
  assert.equal(await store.openVerified('0'.repeat(64)), null);
  await rm(directory, { recursive: true });
});

async function* from(parts: readonly Uint8Array[], error: Error | null = null): AsyncGenerator<Uint8Array> {
  yield* parts;
  if (error !== null) throw error;
}
