/** A disk that is full, and has room again: what a log makes of it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createDirectoryLogStore } from '../../src/outputs/directory.ts';
import type { LogTrouble } from '../../src/outputs/directory-logs.ts';
import type { LogStore } from '../../src/outputs/outputs.ts';

const key = 'run/train/0/1';
const told = 'This log could not be written (ENOSPC: no space left on device): lines may be missing here.';
const { writeSync } = fs;
let directory: string;
let store: LogStore;
let troubles: (LogTrouble | null)[];
/** How many bytes there is room for; null: for all. */
let room: number | null;
let now: number;

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'logs-'));
  [troubles, room, now] = [[], null, 7];
  store = createDirectoryLogStore({
    directory,
    clock: { now: () => now },
    trouble: (trouble) => troubles.push(trouble),
  });
  fs.writeSync = ((file: number, bytes: Uint8Array, offset: number): number => {
    const length = Math.min(bytes.length - offset, room ?? Number.POSITIVE_INFINITY);
    if (length === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    if (room !== null) room -= length;
    return writeSync(file, bytes, offset, length);
  }) as typeof writeSync;
  syncBuiltinESMExports();
});
afterEach(() => {
  fs.writeSync = writeSync;
  syncBuiltinESMExports();
  fs.rmSync(directory, { recursive: true });
});

async function texts(from: LogStore, of = key): Promise<readonly string[]> {
  const { lines, total } = await from.read(of, 1, 10_000);
  assert.deepEqual(
    lines.map(({ number }) => number),
    lines.map((_line, at) => at + 1),
  );
  assert.equal(lines.length, total);
  return lines.map(({ text }) => text);
}

/** As another process reads it. */
const reopened = (): LogStore => createDirectoryLogStore({ directory, clock: { now: () => 8 } });

test('lines that find no room are told of where they are missing, while there is none and after it', async () => {
  const writer = store.writer(key);
  writer.write('out', 'one\n');
  assert.deepEqual(await texts(store), ['one']);
  room = 5;
  writer.write('out', 'two\n');
  assert.deepEqual(await texts(store), ['one', told]);
  writer.write('out', 'three\n');
  assert.deepEqual(await texts(store), ['one', told]);
  assert.equal(store.size(key), 1, 'what is told does not outlive the process yet');
  assert.equal((await store.read(key, 1, 0)).total, 2);
  room = null;
  writer.write('out', 'four\n');
  assert.deepEqual(await texts(store), ['one', told, 'four']);
  await writer.close();
  assert.deepEqual(await texts(reopened()), ['one', told, 'four']);
  assert.equal((await reopened().read(key, 1, 0)).closed, true);
});

test('the log of the server hears of it once, and when there is room again', async () => {
  room = 0;
  const others = ['run/a/0/1', 'run/b/0/1'].map((other) => store.writer(other));
  for (const writer of others) {
    for (let line = 0; line < 100; line += 1) {
      writer.write('out', `line ${line}\n`);
      store.size('run/a/0/1');
    }
    await writer.close();
  }
  assert.deepEqual(troubles, [{ key: 'run/a/0/1', reason: 'ENOSPC: no space left on device, write' }]);
  const writer = store.writer(key);
  for (const there of [null, 0, null]) {
    room = there;
    writer.write('out', 'on a disk that is nearly full\n');
    store.size(key);
  }
  assert.equal(troubles.length, 1);
  now += 5000;
  await writer.close();
  assert.deepEqual(troubles.slice(1), [null]);
});

test('a log that could not be closed is closed when another one can be written', async () => {
  room = 0;
  const writer = store.writer(key);
  writer.write('out', 'lost\n');
  await writer.close();
  assert.deepEqual(await texts(store), [told]);
  assert.equal((await store.read(key, 1, 0)).closed, false);
  [room, now] = [null, now + 5000];
  const other = store.writer('run/next/0/1');
  other.write('out', 'kept\n');
  await other.close();
  assert.deepEqual(await texts(reopened()), [told]);
  assert.equal((await reopened().read(key, 1, 0)).closed, true);
});

test('a log that could not be closed and is written on goes on behind what is told', async () => {
  room = 0;
  const lost = store.writer(key);
  lost.write('out', 'lost\n');
  await lost.close();
  room = null;
  const writer = store.writer(key);
  writer.write('contender', 'Failed\n');
  await writer.close();
  assert.deepEqual(await texts(reopened()), [told, 'Failed']);
});

test('nothing of a write that failed in the middle of the index leads a reader astray', async () => {
  const writer = store.writer(key);
  const write = (from: number, to: number): void => {
    for (let line = from; line <= to; line += 1) writer.write('out', `line ${line}\n`);
    store.size(key);
  };
  write(1, 1500);
  // Room for the lines, and for half of the record that tells where line 2001 begins.
  room = 501 * Buffer.byteLength('7 o line 2000\n') + 8;
  write(1501, 2001);
  room = null;
  write(2002, 5000);
  await writer.close();
  const lines = await texts(reopened());
  assert.deepEqual(lines.slice(1498, 1503), ['line 1499', 'line 1500', told, 'line 2002', 'line 2003']);
  for (const number of [1001, 2001, 2500, 3001, 4001])
    assert.deepEqual(
      (await reopened().read(key, number, number)).lines.map(({ text }) => text),
      lines.slice(number - 1, number),
    );
});

test('a watcher is told of trouble once, and not at each look', async () => {
  let heard = 0;
  store.watch(key, () => (heard += 1));
  room = 0;
  const writer = store.writer(key);
  writer.write('out', 'lost\n');
  for (let look = 0; look < 5; look += 1) await store.read(key, 1, 10);
  assert.equal(heard, 1);
  room = null;
  await writer.close();
  assert.equal(heard, 2);
});
