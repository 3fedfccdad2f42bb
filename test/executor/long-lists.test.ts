import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputValue, RunnerTask } from '../../src/executor/executor.ts';
import { withoutLongLists, type LongList } from '../../src/executor/local/long-lists.ts';
import { challengeRule } from '../support/definitions.ts';

const work = (input: InputValue): RunnerTask['work'] => ({ kind: 'function', file: 'a.ts', input });
const split = (given: RunnerTask['work']): { short: RunnerTask['work']; found: LongList[] } => {
  const found: LongList[] = [];
  return { short: withoutLongLists(given, found), found };
};
const storedOf = (bytes: number): InputValue => ({
  $stored: { $artifact: 'a'.repeat(64), name: 'output.json', bytes },
  path: [],
});
const long = Array.from({ length: 30 }, () => storedOf(40_000));

test('the innermost list is taken out, wherever it stands', () => {
  const { short, found } = split(work({ rows: 1, all: [long, { again: long }], short: [1, 2] }));
  assert.deepEqual(short, work({ rows: 1, all: [null, { again: null }], short: [1, 2] }));
  assert.deepEqual(found, [
    { at: ['all', '0'], items: long },
    { at: ['all', '1', 'again'], items: long },
  ]);
  assert.deepEqual(split(work(long)), { short: work(null), found: [{ at: [], items: long }] });
});

test('what is short, one value or text stays where it is', () => {
  const short = work({
    few: long.slice(0, 26),
    one: [storedOf(10_000_000)],
    text: { $text: long },
    numbers: Array.from({ length: 10_001 }, () => 'x'.repeat(200)),
  });
  assert.deepEqual(split(short), { short, found: [] });
});

test('the function that scores the models of a challenge has long lists too', () => {
  const challenge = (input: InputValue): RunnerTask['work'] => ({
    kind: 'challenge',
    rule: challengeRule,
    challenger: null,
    champion: null,
    score: { kind: 'function', file: 'a.ts', input },
    predictions: null,
  });
  const { short, found } = split(challenge({ fits: long }));
  assert.deepEqual(short, challenge({ fits: null }));
  assert.deepEqual(found, [{ at: ['fits'], items: long }]);
});
