import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeMs } from '../../bench/limits.ts';
import { median, percentile } from '../../bench/measure.ts';

test('the median is the value in the middle, whatever their order', () => {
  assert.equal(median([9, 1, 5]), 5);
});

test('the median of an even number of values lies halfway between the two in the middle', () => {
  assert.equal(median([4, 1, 2, 100]), 3);
});

test('a single value is each of its percentiles', () => {
  for (const share of [0, 0.5, 0.95, 1]) assert.equal(percentile([7], share), 7);
});

test('a percentile lies between its neighbours in proportion', () => {
  const values = Array.from({ length: 21 }, (_, index) => index * 10);
  assert.equal(percentile(values, 0.95), 190);
  assert.equal(percentile([0, 10], 0.95), 9.5);
});

test('of no values there is none', () => {
  assert.ok(Number.isNaN(median([])));
});

test('where there is no make, nothing is said of it but that', async (t) => {
  const path = process.env['PATH'];
  t.after(() => void (process.env['PATH'] = path));
  process.env['PATH'] = '/nowhere';
  assert.equal(await makeMs({ shape: 'trigger' }, 1), null);
});
