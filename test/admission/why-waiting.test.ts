import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slots, whyWaiting } from '../../src/admission/admission.ts';

const gpu = (slots: number): { pool: { name: string; slots: number } } => ({ pool: { name: 'gpu', slots } });

test('what an instance waits for is the pool that is full, else the executor', () => {
  const slots = new Slots(2, new Map([['gpu', 2]]));
  assert.equal(whyWaiting(gpu(1), slots.inUse), null);
  slots.take('one', gpu(1));
  assert.equal(whyWaiting(gpu(1), slots.inUse), null);
  assert.equal(whyWaiting(gpu(2), slots.inUse), 'waits for 2 slots of pool gpu (1 of 2 taken)');
  slots.take('two', gpu(1));
  assert.equal(whyWaiting(gpu(1), slots.inUse), 'waits for a slot of pool gpu (2 of 2 taken)');
  assert.equal(whyWaiting({}, slots.inUse), 'waits for a slot of the executor (2 of 2 taken)');
});
