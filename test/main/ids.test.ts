import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIds } from '../../src/ids.ts';

test('ids are 26 characters of Crockford base 32, and their order is the order of time', () => {
  let now = Date.UTC(2026, 10, 21);
  const next = createIds({ now: () => now });
  const ids: string[] = [];
  for (let index = 0; index < 1000; index += 1) {
    if (index % 10 === 0) now += 1;
    // A clock that was set back must not put a later run before an earlier one.
    if (index === 500) now -= 60_000;
    ids.push(next());
  }
  for (const id of ids) assert.match(id, /^[0-9a-hjkmnp-tv-z]{26}$/);
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
});

test('the first ten characters are the time in milliseconds', () => {
  assert.equal(createIds({ now: () => 0 + 32 })().slice(0, 10), '0000000010');
});
