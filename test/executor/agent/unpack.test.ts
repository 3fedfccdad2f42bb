/** A checkpoint is a tar that a step wrote, who may write anything: the next try lays out files and folders, in its folder alone. */
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Header } from 'tar';
import { unpack } from '../../../src/executor/agent/unpack.ts';

type Entry = Exclude<ConstructorParameters<typeof Header>[0], Buffer | undefined>;

function tarOf(entries: readonly Entry[]): ReadableStream<Uint8Array> {
  const blocks = entries.flatMap((entry) => {
    const body = Buffer.from(entry.type === 'File' ? 'evil' : '');
    const header = new Header({ mode: 0o644, size: body.length, mtime: new Date(0), ...entry });
    header.encode();
    return [header.block ?? Buffer.alloc(0), body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return new Blob([new Uint8Array(Buffer.concat([...blocks, Buffer.alloc(1024)]))]).stream();
}

function place(t: TestContext): { readonly root: string; readonly folder: string } {
  const root = mkdtempSync(join(tmpdir(), 'contender-unpack-'));
  t.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, 'kept'), 'good');
  mkdirSync(join(root, 'folder'));
  return { root, folder: join(root, 'folder') };
}

for (const path of ['../evil', 'a/../../evil', '/evil', '..']) {
  test(`a file at ${path} is not laid out outside`, async (t) => {
    const { root, folder } = place(t);
    await unpack(tarOf([{ path, type: 'File' }]), folder).catch(() => undefined);
    assert.deepEqual(readdirSync(root).toSorted(), ['folder', 'kept']);
    assert.equal(existsSync('/evil'), false);
  });
}

test('no link is laid out, and what is written through its name stays inside', async (t) => {
  const { root, folder } = place(t);
  await unpack(
    tarOf([
      { path: 'out', type: 'SymbolicLink', linkpath: root },
      { path: 'out/kept', type: 'File' },
      { path: 'same', type: 'Link', linkpath: '../kept' },
      { path: 'same', type: 'File' },
      { path: 'pipe', type: 'FIFO' },
    ]),
    folder,
  );
  assert.equal(readFileSync(join(root, 'kept'), 'utf8'), 'good');
  assert.deepEqual(
    new Set(readdirSync(folder, { recursive: true, encoding: 'utf8' })),
    new Set(['out', 'out/kept', 'same']),
  );
  assert.equal(lstatSync(join(folder, 'out')).isDirectory(), true);
});
