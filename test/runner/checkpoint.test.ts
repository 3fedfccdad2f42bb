import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { handOnCheckpoints, type Checkpoints } from '../../runner/checkpoint.ts';

let folder: string;
let place: string;
let checkpoints: Checkpoints;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
  place = join(folder, 'place');
  checkpoints = handOnCheckpoints(place);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('it is empty at the first try, and the next one finds what that left', () => {
  const path = join(folder, 'run', 'step');
  checkpoints.open(path);
  assert.deepEqual(readdirSync(path), []);
  writeFileSync(join(path, 'state'), 'half');
  checkpoints.open(path);
  assert.deepEqual(readdirSync(path), ['state']);
});

test('one that was left empty is gone from its path, and the next attempt has it under its own', () => {
  const [first, next] = [join(folder, 'run', 'first'), join(folder, 'other-run', 'next')];
  checkpoints.open(first);
  assert.equal(checkpoints.close(first), true);
  assert.deepEqual([existsSync(first), existsSync(place)], [false, true]);
  checkpoints.open(next);
  assert.deepEqual([readdirSync(next), existsSync(place)], [[], false]);
});

test('one with something in it stays', () => {
  const path = join(folder, 'run', 'step');
  checkpoints.open(path);
  writeFileSync(join(path, 'state'), 'half');
  assert.equal(checkpoints.close(path), false);
  assert.deepEqual(readdirSync(path), ['state']);
});

test('an empty one takes no place of what an earlier try left, and is there for the next attempt', () => {
  const [first, next, last] = ['first', 'next', 'last'].map((name) => join(folder, 'run', name)) as [
    string,
    string,
    string,
  ];
  checkpoints.open(first);
  checkpoints.close(first);
  mkdirSync(next);
  writeFileSync(join(next, 'state'), 'half');
  checkpoints.open(next);
  assert.deepEqual(readdirSync(next), ['state']);
  checkpoints.open(last);
  assert.deepEqual([readdirSync(last), existsSync(place)], [[], false]);
});

test('where an empty one was removed, a new one is made', () => {
  const [first, next] = [join(folder, 'run', 'first'), join(folder, 'run', 'next')];
  checkpoints.open(first);
  checkpoints.close(first);
  rmSync(place, { recursive: true });
  checkpoints.open(next);
  assert.deepEqual(readdirSync(next), []);
});
