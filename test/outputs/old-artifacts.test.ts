/** Artifacts go by when they were last put or used, and never from under whoever uses them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { artifactPath, createDirectoryArtifactStore } from '../../src/outputs/directory-artifacts.ts';
import { openOldArtifacts } from '../../src/outputs/old-artifacts.ts';

const longAgo = 1_000_000_000;
const before = (longAgo + 10) * 1000;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'artifacts-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function put(text: string, isOld = true): Promise<string> {
  const { $artifact } = await createDirectoryArtifactStore({ directory }).putBytes(Buffer.from(text), 'model.bin');
  if (isOld) utimesSync(artifactPath(directory, $artifact), longAgo, longAgo);
  return $artifact;
}

test('what was neither put nor used for long is old, and can be removed', async () => {
  const old = openOldArtifacts(directory);
  assert.deepEqual(await old.old(before), new Map());
  const store = createDirectoryArtifactStore({ directory });
  const [first, used, again] = [await put('first'), await put('used'), await put('again')];
  await put('young', false);
  assert.equal(await store.use(used), true);
  await store.putBytes(Buffer.from('again'), 'other.bin');
  assert.deepEqual(await old.old(before), new Map([[first, 5]]));
  const removed = await Promise.all([first, used, again].map((sha256) => old.remove(sha256, before)));
  assert.deepEqual(removed, [true, false, false]);
  assert.deepEqual(await Promise.all([first, used, again].map((sha256) => store.has(sha256))), [false, true, true]);
  assert.equal(await store.use(first), false);
  assert.equal(await store.use('../../etc'), false);
  assert.equal(await old.remove(first, before), false);
  assert.deepEqual(readdirSync(join(directory, 'removing')), []);
});

test('what is used between a look and its removal stays, and what is removed first is not used', async () => {
  const old = openOldArtifacts(directory);
  const store = createDirectoryArtifactStore({ directory });
  const all = await Promise.all(Array.from({ length: 50 }, (_, number) => put(`model ${number}`)));
  assert.equal((await old.old(before)).size, 50);
  const using = all.map((sha256) => store.use(sha256));
  const removed = await Promise.all(all.map((sha256) => old.remove(sha256, before)));
  const used = await Promise.all(using);
  for (const [at, sha256] of all.entries()) {
    assert.notEqual(used[at], removed[at]);
    assert.equal(await store.has(sha256), used[at]);
  }
});

test('what a process that died while it removed has put aside is there again, as new', async () => {
  const sha256 = await put('model');
  mkdirSync(join(directory, 'removing'));
  renameSync(artifactPath(directory, sha256), join(directory, 'removing', `${sha256}~1`));
  assert.deepEqual(await openOldArtifacts(directory).old(before), new Map());
  assert.equal(await createDirectoryArtifactStore({ directory }).has(sha256), true);
});

test('the artifacts that an output names are told, and nothing of what is gone, damaged or no JSON', async () => {
  const store = createDirectoryArtifactStore({ directory });
  const output = {
    models: [{ $artifact: 'a', name: 'a', bytes: 1 }, { best: { $artifact: 'b', name: 'b', bytes: 1 } }],
  };
  const sha256 = await put(JSON.stringify(output));
  assert.deepEqual(await store.namedIn(sha256), ['a', 'b']);
  assert.equal(await store.namedIn(await put('no JSON')), null);
  assert.equal(await store.namedIn('f'.repeat(64)), null);
  const damaged = artifactPath(directory, 'e'.repeat(64));
  mkdirSync(dirname(damaged), { recursive: true });
  writeFileSync(damaged, '{}');
  assert.ok(statSync(damaged).isFile());
  assert.equal(await store.namedIn('e'.repeat(64)), null);
});
