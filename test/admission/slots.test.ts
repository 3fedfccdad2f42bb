import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slots } from '../../src/admission/slots.ts';

const plain = {};
const gpu = { pool: { name: 'gpu', slots: 1 } };
const pools = new Map([
  ['gpu', 2],
  ['database', 1],
]);

function started(...ids: readonly string[]): { id: string; step: object }[] {
  return ids.map((id) => ({ id, step: plain }));
}

test('no more is reserved and held than there are slots', () => {
  const slots = new Slots(2);
  assert.deepEqual(
    [1, 2, 3].map(() => slots.reserve('run', plain)),
    [true, true, false],
  );
  slots.settle('run', started('one', 'two'));
  assert.deepEqual(slots.inUse, [{ pool: null, slots: 2, taken: 2, waiting: 1 }]);
  assert.equal(slots.reserve('other', plain), false);
});

test('a reservation that no attempt came of is free when its turn has ended', () => {
  const slots = new Slots(1);
  assert.equal(slots.reserve('run', plain), true);
  slots.settle('run', []);
  assert.equal(slots.reserve('run', plain), true);
});

test('freeing a slot twice frees one', () => {
  const slots = new Slots(2, pools);
  slots.take('one', gpu);
  slots.take('one', gpu);
  slots.take('two', gpu);
  slots.release(['one']);
  slots.release(['one', 'one']);
  assert.deepEqual(slots.inUse[1], { pool: 'gpu', slots: 2, taken: 1, waiting: 0 });
  assert.deepEqual([slots.reserve('run', gpu), slots.reserve('run', gpu)], [true, false]);
});

test('who waits longest is woken when a slot is free, and nobody is for more slots than there are', () => {
  const slots = new Slots(1);
  slots.take('one', plain);
  for (const run of ['b', 'a', 'b']) {
    assert.equal(slots.reserve(run, plain), false);
    slots.settle(run, []);
  }
  assert.deepEqual(slots.takeWoken(), []);
  slots.release(['one']);
  assert.deepEqual(slots.takeWoken(), ['b']);
  assert.deepEqual(slots.takeWoken(), []);
  assert.equal(slots.reserve('a', plain), false);
  slots.settle('a', []);
  assert.equal(slots.reserve('b', plain), true);
});

test('a run with much to do hands its slot on to one that waits, and stands in line again', () => {
  const slots = new Slots(1);
  slots.take('saturated/1', plain);
  for (const run of ['saturated', 'idle']) {
    assert.equal(slots.reserve(run, plain), false);
    slots.settle(run, []);
  }
  slots.release(['saturated/1']);
  assert.equal(slots.reserve('saturated', plain), true);
  slots.settle('saturated', started('saturated/2'));
  slots.release(['saturated/2']);
  assert.equal(slots.reserve('saturated', plain), false);
  slots.settle('saturated', []);
  assert.deepEqual(slots.takeWoken(), ['idle']);
});

test('the highest priority comes first, however long others wait', () => {
  const slots = new Slots(1);
  slots.take('one', plain);
  for (const [run, priority] of Object.entries({ low: -5, plain: 0, high: 10 })) {
    slots.reserve(run, { priority });
    slots.settle(run, []);
  }
  slots.release(['one']);
  const order: string[] = [];
  for (let [run] = slots.takeWoken(); run !== undefined; [run] = slots.takeWoken()) {
    order.push(run);
    assert.equal(slots.reserve(run, { priority: { low: -5, plain: 0, high: 10 }[run] ?? 0 }), true);
    slots.settle(run, [{ id: run, step: plain }]);
    slots.release([run]);
  }
  assert.deepEqual(order, ['high', 'plain', 'low']);
});

test('slots of a pool and one of the executor are taken together or not at all', () => {
  const slots = new Slots(1, pools);
  assert.equal(slots.reserve('run', gpu), true);
  slots.settle('run', [{ id: 'one', step: gpu }]);
  assert.equal(slots.reserve('other', gpu), false);
  assert.deepEqual(
    slots.inUse.map(({ taken }) => taken),
    [1, 1, 0],
  );
});

test('a full pool keeps nobody else waiting', () => {
  const slots = new Slots(10, pools);
  slots.take('one', { pool: { name: 'gpu', slots: 2 } });
  assert.equal(slots.reserve('run', { ...gpu, priority: 100 }), false);
  assert.equal(slots.reserve('run', { pool: { name: 'database', slots: 1 } }), true);
  assert.equal(slots.reserve('run', plain), true);
});

test('nobody overtakes who waits for more slots of a pool than are free', () => {
  const slots = new Slots(10, pools);
  slots.take('one', gpu);
  assert.equal(slots.reserve('large', { pool: { name: 'gpu', slots: 2 } }), false);
  slots.settle('large', []);
  assert.equal(slots.reserve('small', gpu), false);
  slots.settle('small', []);
  slots.release(['one']);
  assert.deepEqual(slots.takeWoken(), ['large']);
});

test('a slot that was given to a run which no longer wants it goes to the next', () => {
  for (const leave of [
    (slots: Slots): void => slots.settle('first', []),
    (slots: Slots): void => slots.withdraw('first'),
  ]) {
    const slots = new Slots(1);
    slots.take('one', plain);
    for (const run of ['first', 'second']) {
      slots.reserve(run, plain);
      slots.settle(run, []);
    }
    slots.release(['one']);
    assert.deepEqual(slots.takeWoken(), ['first']);
    leave(slots);
    assert.deepEqual(slots.takeWoken(), ['second']);
  }
});

test('what can never be admitted takes no slot, and is let through to be refused', () => {
  const slots = new Slots(1, pools);
  slots.take('one', plain);
  assert.equal(slots.reserve('run', { pool: { name: 'gpus', slots: 1 } }), true);
  assert.equal(slots.reserve('run', { pool: { name: 'gpu', slots: 3 } }), true);
  slots.settle('run', [{ id: 'two', step: { pool: { name: 'gpus', slots: 1 } } }]);
  assert.ok(slots.holds('two'));
  slots.release(['two']);
  assert.equal(slots.inUse[0]?.taken, 1);
});

test('what runs keeps its slots where its pool, or the executor, has become too small for it', () => {
  const slots = new Slots(2, pools);
  slots.take('large', { pool: { name: 'gpu', slots: 4 } });
  for (const id of ['two', 'three']) slots.take(id, plain);
  assert.deepEqual(slots.inUse.slice(0, 2), [
    { pool: null, slots: 2, taken: 3, waiting: 0 },
    { pool: 'gpu', slots: 2, taken: 4, waiting: 0 },
  ]);
  assert.equal(slots.reserve('run', gpu), false);
  slots.settle('run', []);
  slots.release(['two', 'three']);
  assert.deepEqual(slots.takeWoken(), [], 'the pool is full, however much room the executor has');
  slots.release(['large']);
  assert.deepEqual(slots.takeWoken(), ['run']);
});

test('what runs keeps its slot of the executor where its pool is gone', () => {
  const slots = new Slots(1, pools);
  slots.take('one', { pool: { name: 'gone', slots: 4 } });
  assert.deepEqual(
    slots.inUse.map(({ taken }) => taken),
    [1, 0, 0],
  );
  assert.equal(slots.reserve('run', plain), false);
  slots.settle('run', []);
  slots.release(['one']);
  assert.deepEqual(slots.takeWoken(), ['run']);
});

test('a run that asks for other slots than it was given waits for those at its place', () => {
  const slots = new Slots(4, pools);
  slots.take('one', gpu);
  slots.take('two', gpu);
  for (const run of ['a', 'b']) {
    slots.reserve(run, gpu);
    slots.settle(run, []);
  }
  slots.release(['one']);
  assert.deepEqual(slots.takeWoken(), ['a']);
  assert.equal(slots.reserve('a', { pool: { name: 'gpu', slots: 2 } }), false);
  slots.settle('a', []);
  slots.release(['two']);
  assert.deepEqual(slots.takeWoken(), ['a']);
});
