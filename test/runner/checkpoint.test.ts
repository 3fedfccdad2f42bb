import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { closeCheckpoint, openCheckpoint } from '../../runner/checkpoint.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'checkpoints-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('it is empty at the first try, and the next one finds what that left', () => {
  const path = join(folder, 'run', 'step');
  openCheckpoint(path);
  assert.deepEqual(readdirSync(path), []);
  writeFileSync(join(path, 'state'), 'half');
  openCheckpoint(path);
  assert.deepEqual(readdirSync(path), ['state']);
});

test('one that was left empty is gone from its path, and the next attempt has it under its own', () => {
  const [first, next] = [join(folder, 'run', 'first'), join(folder, 'other-run', 'next')];
  openCheckpoint(first);
  assert.equal(closeCheckpoint(first), true);
  assert.equal(existsSync(first), false);
  mkdirSync(join(folder, 'other-run'));
  openCheckpoint(next);
  assert.deepEqual([readdirSync(next), readdirSync(join(folder, 'run'))], [[], []]);
});

test('one with something in it stays', () => {
  const path = join(folder, 'run', 'step');
  openCheckpoint(path);
  writeFileSync(join(path, 'state'), 'half');
  assert.equal(closeCheckpoint(path), false);
  assert.deepEqual(readdirSync(path), ['state']);
});

test('an empty one takes no place of what an earlier try left', () => {
  const [first, next] = [join(folder, 'run', 'first'), join(folder, 'run', 'next')];
  openCheckpoint(first);
  closeCheckpoint(first);
  mkdirSync(next);
  writeFileSync(join(next, 'state'), 'half');
  openCheckpoint(next);
  assert.deepEqual(readdirSync(next), ['state']);
});

test('where the run of an empty one is over, a new one is made', () => {
  const [first, next] = [join(folder, 'run', 'first'), join(folder, 'other-run', 'next')];
  openCheckpoint(first);
  closeCheckpoint(first);
  rmSync(join(folder, 'run'), { recursive: true });
  openCheckpoint(next);
  assert.deepEqual(readdirSync(next), []);
});
