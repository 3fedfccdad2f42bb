import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGathering } from '../../src/forge/gathering.ts';

function setBench() {
  const rounds: (readonly string[])[] = [];
  const pauses: number[] = [];
  const bench = { now: 0, rounds, pauses, fail: false };
  const ask = createGathering({
    clock: { now: () => bench.now },
    pause: (ms) => {
      pauses.push(ms);
      bench.now += ms;
      return Promise.resolve();
    },
    gapMs: 100,
    perform: (things: readonly string[]) => {
      rounds.push(things);
      return bench.fail ? Promise.reject(new Error('no')) : Promise.resolve(things.map((thing) => `${thing}!`));
    },
  });
  return { bench, ask };
}

test('the first is at once, and what comes close behind it together', async () => {
  const { bench, ask } = setBench();
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(ask)), ['a!', 'b!', 'c!']);
  assert.deepEqual(bench.rounds, [['a'], ['b', 'c']]);
  assert.deepEqual(bench.pauses, [100]);
});

test('after a quiet time nothing waits, and a clock that was set back lets wait for the gap at most', async () => {
  const { bench, ask } = setBench();
  await ask('a');
  bench.now += 40;
  await ask('b');
  bench.now += 100;
  await ask('c');
  bench.now -= 3_600_000;
  await ask('d');
  assert.deepEqual(bench.pauses, [60, 100]);
});

test('a round that fails fails for all of its things, and the next one is made', async () => {
  const { bench, ask } = setBench();
  await ask('a');
  bench.fail = true;
  const both = await Promise.allSettled(['b', 'c'].map(ask));
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  bench.fail = false;
  assert.equal(await ask('d'), 'd!');
});
