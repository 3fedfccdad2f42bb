/** What every artifact store promises, as tests. `create` gives an empty store; `damage` flips a bit of what it keeps. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ArtifactStore } from '../../src/outputs/outputs.ts';

export interface ArtifactStoreUnderTest {
  readonly store: ArtifactStore;
  readonly damage: (sha256: string) => Promise<void>;
}

export function artifactStoreKeepsItsContract(
  name: string,
  create: (folder: string) => Promise<ArtifactStoreUnderTest>,
): void {
  const check = (title: string, body: (given: ArtifactStoreUnderTest & { folder: string }) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'artifacts-'));
      try {
        await body({ ...(await create(join(folder, 'store'))), folder });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  };
  const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  check('bytes that were put come back, under their hash, with name and size', async ({ store }) => {
    const bytes = Buffer.from('a model');
    const artifact = await store.putBytes(bytes, 'model.bin');
    assert.deepEqual(artifact, { $artifact: hashOf(bytes), name: 'model.bin', bytes: 7 });
    assert.deepEqual(Buffer.from((await store.getBytes(artifact.$artifact)) ?? []), bytes);
    assert.equal(await store.has(artifact.$artifact), true);
  });

  check('a file of several chunks and an empty file are kept whole', async ({ store, folder }) => {
    for (const bytes of [Buffer.alloc(3 * 1024 * 1024 + 17, 'abc'), Buffer.alloc(0)]) {
      await writeFile(join(folder, 'data'), bytes);
      const artifact = await store.putFile(join(folder, 'data'), 'data');
      assert.equal(artifact.$artifact, hashOf(bytes));
      const copy = join(folder, `copy-${bytes.length}`);
      assert.equal(await store.getFile(artifact.$artifact, copy), true);
      assert.deepEqual(await readFile(copy), bytes);
    }
  });

  check('the same bytes are one artifact, also when they are put at the same time', async ({ store }) => {
    const puts = await Promise.all(
      Array.from({ length: 8 }, (_, index) => store.putBytes(Buffer.from('same'), `name-${index}`)),
    );
    assert.equal(new Set(puts.map((artifact) => artifact.$artifact)).size, 1);
    assert.deepEqual(
      puts.map((artifact) => artifact.name),
      puts.map((_, index) => `name-${index}`),
    );
    assert.deepEqual(Buffer.from((await store.getBytes(hashOf(Buffer.from('same')))) ?? []), Buffer.from('same'));
  });

  check('what is not there is null or false, and what is no hash is not there', async ({ store, folder }) => {
    for (const sha256 of ['0'.repeat(64), 'nonsense', '../../etc/passwd', '']) {
      assert.equal(await store.getBytes(sha256), null);
      assert.equal(await store.has(sha256), false);
      assert.equal(await store.getFile(sha256, join(folder, 'copy')), false);
    }
    await assert.rejects(stat(join(folder, 'copy')));
  });

  check(
    'a file that is given out is read-only and the store is not harmed by whoever writes to it',
    async ({ store, folder }) => {
      const artifact = await store.putBytes(Buffer.from('original'), 'data');
      const copy = join(folder, 'copy');
      await store.getFile(artifact.$artifact, copy);
      assert.equal((await stat(copy)).mode & 0o222, 0);
      await rm(copy);
      await writeFile(copy, 'changed');
      assert.equal(Buffer.from((await store.getBytes(artifact.$artifact)) ?? []).toString(), 'original');
    },
  );

  check(
    'a flipped bit is noticed by every way of reading, and putting the bytes again heals it',
    async ({ store, damage, folder }) => {
      const bytes = Buffer.from('exactly these bytes');
      const artifact = await store.putBytes(bytes, 'data');
      await damage(artifact.$artifact);
      await assert.rejects(store.getBytes(artifact.$artifact), /damaged/);
      await assert.rejects(store.getFile(artifact.$artifact, join(folder, 'copy')), /damaged/);
      await assert.rejects(stat(join(folder, 'copy')), 'nothing is left behind');
      await store.putBytes(bytes, 'data');
      assert.deepEqual(Buffer.from((await store.getBytes(artifact.$artifact)) ?? []), bytes);
    },
  );

  check('a put that fails leaves nothing: no file, a folder', async ({ store, folder }) => {
    await assert.rejects(store.putFile(join(folder, 'missing'), 'missing'));
    await assert.rejects(store.putFile(folder, 'folder'), /not a regular file/);
  });

  check('the name of an artifact has no folder and no control character', async ({ store }) => {
    const names = await Promise.all(
      ['/etc/passwd', '../up', 'a\u0000b\n', '', '..'].map((name) => store.putBytes(Buffer.from('x'), name)),
    );
    assert.deepEqual(
      names.map((artifact) => artifact.name),
      ['passwd', 'up', 'a_b_', 'artifact', 'artifact'],
    );
  });
}
