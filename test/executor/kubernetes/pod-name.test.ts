import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instanceOf, podName } from '../../../src/executor/kubernetes/pod-name.ts';
import { labelValue } from '../../../src/executor/kubernetes/pod.ts';

test('a million names of attempts, however odd, are valid, short and different', () => {
  const names = new Set<string>();
  for (let number = 0; number < 1_000_000; number += 1) {
    const step = ['train', 'prepare/clean_data', 'x'.repeat(128), 'ümläut', '-'][number % 5] ?? '';
    const name = podName('home', `01h${number}/${step}/${number % 7}/${1 + (number % 3)}`);
    assert.match(name, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    assert.ok(name.length <= 52, name);
    names.add(name);
  }
  assert.equal(names.size, 1_000_000);
});

test('a name says step, instance and try, is the same each time, and another one in another installation', () => {
  const name = podName('home', '01hrun/prepare/clean/3/2');
  assert.match(name, /^c-[a-z2-7]{20}-prepare-clean-3-2$/);
  assert.equal(podName('home', '01hrun/prepare/clean/3/2'), name);
  assert.notEqual(podName('away', '01hrun/prepare/clean/3/2'), name);
});

test('installations have names of their own', () => {
  const names = [1, 2].map((byte) => instanceOf(Buffer.alloc(32, byte)));
  for (const name of names) assert.match(name, /^[a-z2-7]{12}$/);
  assert.notEqual(names[0], names[1]);
});

test('what stands in a label is what a label may be', () => {
  assert.deepEqual(['prepare/clean', '--x--', 'y'.repeat(80), 'a b', '.'].map(labelValue), [
    'prepare-clean',
    'x',
    `${'y'.repeat(54)}-e8730587`,
    'a-b',
    '',
  ]);
  assert.equal(labelValue('y'.repeat(63)).length, 63);
  assert.notEqual(labelValue(`${'y'.repeat(80)}a`), labelValue(`${'y'.repeat(80)}b`));
});
