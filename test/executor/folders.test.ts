import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createFolderStock } from '../../src/executor/local/folders.ts';
import { until } from './workshop.ts';

let parent: string;
beforeEach(() => (parent = mkdtempSync(join(tmpdir(), 'folders-'))));
afterEach(() => rmSync(parent, { recursive: true, force: true }));

test('each directory is new and empty, however many are taken at once', async () => {
  const stock = createFolderStock(parent);
  const taken = Array.from({ length: 40 }, () => stock.take());
  assert.equal(new Set(taken).size, 40);
  for (const folder of taken) assert.deepEqual(readdirSync(folder), []);
  await stock.close();
});

test('what is removed is gone with all that is in it, and what nobody took goes in the end', async () => {
  const stock = createFolderStock(parent);
  const folder = stock.take();
  mkdirSync(join(folder, 'deep'));
  writeFileSync(join(folder, 'deep', 'file'), 'x');
  await stock.remove(folder);
  assert.equal(existsSync(folder), false);
  await stock.remove(folder);
  await stock.close();
  assert.deepEqual(readdirSync(parent), []);
});

test('what an earlier server left is removed', async () => {
  mkdirSync(join(parent, 'left', 'deep'), { recursive: true });
  writeFileSync(join(parent, 'left', 'deep', 'file'), 'x');
  const stock = createFolderStock(parent);
  await until('it is removed', () => !existsSync(join(parent, 'left')));
  await stock.close();
});
