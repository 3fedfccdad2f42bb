import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slots } from '../../src/admission/slots.ts';

test('no more is reserved and held than there are slots', () => {
  const slots = new Slots(2);
  assert.deepEqual([slots.reserve('run'), slots.reserve('run'), slots.reserve('run')], [true, true, false]);
  slots.settle(['one', 'two']);
  assert.equal(slots.inUse, 2);
  assert.equal(slots.reserve('other'), false);
});

test('a reservation that no attempt came of is free when its turn has ended', () => {
  const slots = new Slots(1);
  assert.equal(slots.reserve('run'), true);
  slots.settle([]);
  assert.equal(slots.reserve('run'), true);
});

test('freeing a slot twice frees one', () => {
  const slots = new Slots(2);
  slots.take('one');
  slots.take('two');
  slots.release(['one']);
  slots.release(['one', 'one']);
  assert.equal(slots.inUse, 1);
  assert.deepEqual([slots.reserve('run'), slots.reserve('run')], [true, false]);
});

test('who was refused is told once, in order, and not before a slot is free', () => {
  const slots = new Slots(1);
  slots.take('one');
  for (const run of ['b', 'a', 'b']) assert.equal(slots.reserve(run), false);
  assert.deepEqual(slots.takeWaiting(), []);
  slots.release(['one']);
  assert.deepEqual(slots.takeWaiting(), ['b', 'a']);
  assert.deepEqual(slots.takeWaiting(), []);
});
