import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type UpstreamTally, type Verdict } from '../../src/engine/trigger-rule.ts';
import { triggerRules, type TriggerRule } from '../../src/pipeline/definition.ts';

type Ends = 'S' | 'F' | 'U' | 'K';

function tallyOf(ends: readonly Ends[], unfinished: number): UpstreamTally {
  const count = (kind: Ends): number => ends.filter((end) => end === kind).length;
  return { success: count('S'), failed: count('F'), upstreamFailed: count('U'), skipped: count('K'), unfinished };
}

/** All ways in which three steps can end. */
const endings: Ends[][] = [[]];
for (let place = 0; place < 3; place += 1) {
  endings.push(
    ...endings
      .filter((ends) => ends.length === place)
      .flatMap((ends) => (['S', 'F', 'U', 'K'] as const).map((end): Ends[] => [...ends, end])),
  );
}

/** What each rule says once all upstream steps have ended: S success, F failed, U upstream failed, K skipped. */
const table: { readonly [rule in TriggerRule]: { readonly [ends: string]: Verdict } } = {
  all_success: {
    S: 'run',
    SS: 'run',
    SF: 'upstream_failed',
    SU: 'upstream_failed',
    SK: 'skipped',
    FK: 'upstream_failed',
    KK: 'skipped',
  },
  all_failed: { F: 'run', FU: 'run', SF: 'skipped', FK: 'skipped', S: 'skipped', K: 'skipped' },
  all_done: { S: 'run', F: 'run', U: 'run', K: 'run', SFK: 'run' },
  one_success: {
    S: 'run',
    SF: 'run',
    SK: 'run',
    F: 'upstream_failed',
    FK: 'upstream_failed',
    U: 'upstream_failed',
    K: 'skipped',
  },
  one_failed: { F: 'run', U: 'run', SF: 'run', FK: 'run', S: 'skipped', K: 'skipped' },
  one_done: { S: 'run', F: 'run', SK: 'run', U: 'skipped', K: 'skipped', UK: 'skipped' },
  none_failed: { S: 'run', K: 'run', SK: 'run', SF: 'upstream_failed', UK: 'upstream_failed' },
  none_failed_min_one_success: {
    S: 'run',
    SK: 'run',
    K: 'skipped',
    KK: 'skipped',
    SF: 'upstream_failed',
    UK: 'upstream_failed',
  },
  none_skipped: { S: 'run', F: 'run', SU: 'run', SK: 'skipped', FK: 'skipped' },
  all_skipped: { K: 'run', KK: 'run', SK: 'skipped', FK: 'skipped', UK: 'skipped' },
  all_done_min_one_success: {
    S: 'run',
    SF: 'run',
    F: 'upstream_failed',
    U: 'upstream_failed',
    SK: 'skipped',
    K: 'skipped',
  },
  always: { S: 'run', F: 'run', U: 'run', K: 'run' },
};

for (const rule of triggerRules) {
  test(`${rule} says what Airflow says of each way to end`, () => {
    for (const [ends, verdict] of Object.entries(table[rule])) {
      const list = ends.split('').filter((end) => end === 'S' || end === 'F' || end === 'U' || end === 'K');
      assert.equal(judge(rule, tallyOf(list, 0)), verdict, ends);
    }
  });

  test(`${rule} says nothing early that it would not say in the end`, () => {
    for (const ends of endings) {
      for (let known = 0; known < ends.length; known += 1) {
        const early = judge(rule, tallyOf(ends.slice(0, known), ends.length - known));
        if (early !== 'wait') assert.equal(early, judge(rule, tallyOf(ends, 0)), `${ends.join('')} after ${known}`);
      }
    }
  });

  test(`${rule} runs a step without upstream steps`, () => {
    assert.equal(judge(rule, tallyOf([], 0)), 'run');
  });
}

test('a failure outranks a skip that came first', () => {
  assert.equal(judge('all_success', tallyOf(['K'], 1)), 'wait');
  assert.equal(judge('all_success', tallyOf(['K', 'F'], 0)), 'upstream_failed');
});

test('what can be decided early is', () => {
  assert.equal(judge('one_success', tallyOf(['S'], 3)), 'run');
  assert.equal(judge('one_failed', tallyOf(['F'], 3)), 'run');
  assert.equal(judge('one_done', tallyOf(['F'], 3)), 'run');
  assert.equal(judge('all_failed', tallyOf(['S'], 3)), 'skipped');
  assert.equal(judge('none_failed', tallyOf(['F'], 3)), 'upstream_failed');
  assert.equal(judge('always', tallyOf([], 3)), 'run');
});
