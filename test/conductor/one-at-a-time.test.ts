import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneAtATime } from '../../src/conductor/one-at-a-time.ts';

test('work under one name runs in order, whatever becomes of the one before, and does not wait for other names', async () => {
  const turns = new OneAtATime();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.run('a', async () => {
    await gate.promise;
    seen.push('first');
    throw new Error('it broke');
  });
  const second = turns.run('a', () => Promise.resolve(void seen.push('second')));
  await turns.run('b', () => Promise.resolve(void seen.push('other')));
  gate.resolve();
  await assert.rejects(first, /it broke/);
  await second;
  assert.deepEqual(seen, ['other', 'first', 'second']);
});
