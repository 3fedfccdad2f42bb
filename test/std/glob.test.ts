/** Globs over paths, branches and tags, and that none of them takes long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globLimits, globMistake, globsOf } from '../../src/std/glob.ts';

const matches = (glob: string, text: string): boolean => globsOf([glob], false).match(text);

const cases: readonly (readonly [glob: string, matched: readonly string[], others: readonly string[]])[] = [
  ['main', ['main'], ['mains', 'Main', 'a/main', '']],
  ['release/*', ['release/1', 'release/.hidden', 'release/'], ['release', 'release/1/2']],
  ['release-?', ['release-1', 'release-é', 'release-🙂'], ['release-', 'release-12', 'release-/']],
  ['*.py', ['a.py', '.py', 'a.b.py'], ['a/b.py', 'a.pyc']],
  ['**/*.py', ['a.py', 'a/b.py', 'a/b/c.py'], ['a/b.pyc']],
  ['**', ['a', 'a/b', '.github/workflows/ci.yml'], []],
  ['reports/**', ['reports/a', 'reports/a/b', 'reports'], ['report', 'other/reports/a']],
  ['reports/', ['reports/a', 'reports/a/b'], ['reports']],
  ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z', 'a/z/z'], ['a/b', 'b/a/z']],
  ['a/**/b/**/c', ['a/b/c', 'a/x/b/y/c', 'a/b/b/c'], ['a/c', 'a/b']],
  ['a**b', ['ab', 'axxb'], ['a/b']],
  ['v[0-9]*', ['v1', 'v1.2'], ['v', 'vx']],
  ['[!a-c]x', ['dx'], ['ax', 'x']],
  ['[]a]', [']', 'a'], ['[']],
  ['[a', ['[a'], ['a']],
  ['{a,b}/{c,d*}', ['a/c', 'b/dog'], ['a/b', 'c/a']],
  ['{a,{b,c}d}', ['a', 'bd', 'cd'], ['b', 'ad']],
  ['{a}', ['{a}'], ['a']],
  ['{a', ['{a'], ['a']],
  ['\\*', ['*'], ['a']],
  ['\\{a,b\\}', ['{a,b}'], ['a']],
  ['a+(b)', ['a+(b)'], ['ab']],
  ['', [''], ['a']],
];

for (const [glob, matched, others] of cases) {
  test(`the glob "${glob}"`, () => {
    for (const text of matched) assert.ok(matches(glob, text), `does not match "${text}"`);
    for (const text of others) assert.ok(!matches(glob, text), `matches "${text}"`);
  });
}

test('of several globs one is enough', () => {
  const globs = globsOf(['a/*', 'b/*'], false);
  assert.deepEqual(
    ['a/1', 'b/1', 'c/1'].map((text) => globs.match(text)),
    [true, true, false],
  );
});

test('a glob that is too long, begins at a root or has too many alternatives is a mistake, and matches nothing', () => {
  assert.match(globMistake('a'.repeat(globLimits.lengthMax + 1)) ?? '', /longer than 256/);
  assert.match(globMistake('/src') ?? '', /begins at a root/);
  assert.match(globMistake('{a,b}'.repeat(7)) ?? '', /more than 64/);
  assert.equal(globMistake('{a,b}'.repeat(6)), null);
  assert.equal(globMistake('a'.repeat(globLimits.lengthMax)), null);
  assert.ok(!matches('{a,b}'.repeat(7), 'a'.repeat(7)));
});

test('no glob is tried in every way: what it takes is counted, and bounded', () => {
  const text = 'a'.repeat(4096);
  // With a way back at each star this would take longer than anybody waits.
  assert.ok(!matches(`${'*a'.repeat(100)}b`, text));
  assert.ok(!matches(`${'**/a/'.repeat(40)}b`, 'a/'.repeat(2000)));
});

test('beyond the bound the answer is the one that was asked for', () => {
  for (const beyond of [true, false]) {
    const globs = globsOf(['*a*b'], beyond, 1000);
    assert.ok(!globs.match('a'));
    assert.equal(globs.match('a'.repeat(2000)), beyond);
    assert.equal(globs.match('ab'), beyond);
  }
});
