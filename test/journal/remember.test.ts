import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remember } from '../../src/journal/remember.ts';

test('a value is read once while it is among the last ones, and what is not there is asked for again', async () => {
  const reads: string[] = [];
  const values = new Map([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]);
  const read = remember(async (key) => {
    reads.push(key);
    return values.get(key) ?? null;
  }, 2);
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b', 'none', 'none'])
    assert.equal(await read(key), values.get(key) ?? null);
  assert.deepEqual(reads, ['a', 'b', 'c', 'b', 'none', 'none']);
});
