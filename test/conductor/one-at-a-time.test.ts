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

test('what may run beside its like does so, and with nothing that runs alone', async () => {
  const turns = new OneAtATime();
  const seen: string[] = [];
  const gates = new Map<string, () => void>();
  const work = (name: string) => async (): Promise<void> => {
    seen.push(name);
    await new Promise<void>((resolve) => gates.set(name, resolve));
    seen.push(`${name} ended`);
  };
  const end = async (name: string): Promise<void> => {
    gates.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const all = Promise.all([
    turns.beside('a', work('1')),
    turns.beside('a', work('2')),
    turns.run('a', work('alone')),
    turns.beside('a', work('3')),
    turns.beside('a', work('4')),
  ]);
  await end('nothing');
  assert.deepEqual(seen.splice(0), ['1', '2']);
  await end('2');
  assert.deepEqual(seen.splice(0), ['2 ended']);
  await end('1');
  assert.deepEqual(seen.splice(0), ['1 ended', 'alone']);
  await end('alone');
  assert.deepEqual(seen.splice(0), ['alone ended', '3', '4']);
  await end('3');
  await end('4');
  await all;
});
