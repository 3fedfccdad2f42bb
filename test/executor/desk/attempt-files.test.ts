/** What outlives a server about its attempts elsewhere: whole or not at all, and gone with the run. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text as textIn } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openAttemptFiles, TooLarge, type AttemptFiles } from '../../../src/executor/desk/attempt-files.ts';
import { command, specOf, until } from '../workshop.ts';

function opened(t: TestContext): { readonly folder: string; readonly files: AttemptFiles } {
  const folder = mkdtempSync(join(tmpdir(), 'attempts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, files: openAttemptFiles(folder) };
}

async function* bytesOf(...parts: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

async function textOf(files: AttemptFiles, attemptId: string): Promise<string | null> {
  const found = await files.openCheckpoint(attemptId);
  if (found === null) return null;
  const text = await textIn(Readable.from(found.content));
  assert.equal(found.bytes, text.length);
  return text;
}

test('an attempt is found again as it was written, and none that was not', (t) => {
  const { files } = opened(t);
  const spec = specOf(command('true'));
  assert.equal(files.read(spec.attemptId), null);
  files.write(spec.attemptId, { spec, begun: null, finished: null });
  assert.deepEqual(files.read(spec.attemptId), { spec, begun: null, finished: null });
});

test('a checkpoint is that of all tries of an instance, and the last that came whole', async (t) => {
  const { folder, files } = opened(t);
  assert.equal(await textOf(files, 'run/train/0/1'), null);
  await files.keepCheckpoint('run/train/0/1', bytesOf('half', 'way'), 100);
  assert.equal(await textOf(files, 'run/train/0/2'), 'halfway');
  assert.equal(await textOf(files, 'run/train/1/2'), null);
  assert.equal(await textOf(files, 'run/train/0/0/2'), null);
  await assert.rejects(files.keepCheckpoint('run/train/0/2', bytesOf('three ', new Error('cut off')), 100), /cut off/);
  assert.equal(await textOf(files, 'run/train/0/3'), 'halfway');
  await files.keepCheckpoint('run/train/0/2', bytesOf('done'), 100);
  assert.equal(await textOf(files, 'run/train/0/3'), 'done');
  assert.equal(readdirSync(join(folder, 'run')).length, 1, 'nothing of what was cut off is left');
  await files.removeCheckpoint('run/train/0/3');
  assert.equal(await textOf(files, 'run/train/0/3'), null);
});

test('of a checkpoint that is too large nothing is kept, and all of it is read', async (t) => {
  const { folder, files } = opened(t);
  let read = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for (; read < 50; read += 1) yield Buffer.alloc(10);
  };
  await assert.rejects(files.keepCheckpoint('run/train/0/1', counted(), 100), (error) => error instanceof TooLarge);
  assert.equal(read, 50, 'whoever sends it hears the answer');
  assert.deepEqual(readdirSync(join(folder, 'run')), []);
});

test('what is kept goes with its run, and with every run that does not go on', async (t) => {
  const { folder, files } = opened(t);
  for (const run of ['ended', 'open', 'forgotten']) await files.keepCheckpoint(`${run}/train/0/1`, bytesOf('x'), 10);
  files.release('ended');
  await until('the ended run to go', () => !readdirSync(folder).includes('ended') || undefined);
  files.retain(new Set(['open']));
  await until('all others to go', () => readdirSync(folder).length === 1 || undefined);
  assert.equal(await textOf(files, 'open/train/0/1'), 'x');
});

test('a checkpoint that breaks off at once leaves nothing, however often', async (t) => {
  const { folder, files } = opened(t);
  let left = 0;
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const cutOff = files.keepCheckpoint(`run${attempt}/train/0/1`, bytesOf('half', new Error('cut off')), 100);
    await assert.rejects(cutOff, /cut off/);
    // A file that is opened late would be there by then.
    await pause(2);
    left += readdirSync(join(folder, `run${attempt}`)).length;
  }
  assert.equal(left, 0);
});
