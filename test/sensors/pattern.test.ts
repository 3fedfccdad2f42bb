import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyMatcher } from '../../src/sensors/pattern.ts';

const cases: readonly (readonly [pattern: string, matches: readonly string[], others: readonly string[]])[] = [
  ['a/b', ['a/b'], ['a/bc', 'a', 'a/b/c', 'xa/b']],
  ['a/*', ['a/', 'a/b'], ['a/b/c', 'a']],
  ['a/*.csv', ['a/.csv', 'a/x.csv', 'a/x.csv.csv'], ['a/xcsv', 'a/x.csv.gz', 'a/b/x.csv']],
  ['*/x-*-*.csv', ['a/x-1-2.csv', 'a/x--.csv', 'a/x-1-2-3.csv'], ['a/x-1.csv', 'x-1-2.csv']],
  ['ab*ba', ['abba', 'ab-ba'], ['aba', 'abbab']],
  ['a*b*c', ['abc', 'aXbYc', 'abbc'], ['acb', 'ac']],
  ['a/', ['a/b', 'a/b/c'], ['a/', 'a', 'ab/c']],
  ['a*/', ['ab/c', 'a/c/d'], ['ab/', 'b/c']],
  ['a.c', ['a.c'], ['abc']],
];

for (const [pattern, matching, others] of cases) {
  test(`${pattern} matches ${matching.join(', ')} and not ${others.join(', ')}`, () => {
    const isWanted = keyMatcher(pattern);
    assert.deepEqual([...matching, ...others].filter(isWanted), matching);
  });
}

test('no pattern takes long', () => {
  const isWanted = keyMatcher(`${'a*'.repeat(500)}b`);
  assert.equal(isWanted('a'.repeat(1024)), false);
});
