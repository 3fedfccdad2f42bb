/** A bounded part of the simulation, for every `npm test`; `test/simulation/main.ts` goes further. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultClasses } from './faults.ts';
import { simulate } from './simulate.ts';

test('a seed gives the same world each time', async () => {
  const first = await simulate({ seed: 3, steps: 300 });
  assert.deepEqual(await simulate({ seed: 3, steps: 300 }), first);
});

test('a server that dies between any two instructions breaks no promise', async () => {
  const off = new Set(faultClasses.filter((name) => name !== 'crash' && name !== 'attempts'));
  for (let seed = 1; seed <= 15; seed += 1) {
    const { violation } = await simulate({ seed, steps: 500, off });
    assert.deepEqual({ seed, violation }, { seed, violation: null });
  }
});
