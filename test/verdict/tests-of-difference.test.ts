import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { pairedBootstrap } from '../../src/verdict/bootstrap.ts';
import { deLongTest } from '../../src/verdict/delong.ts';
import { incompleteBeta, normalQuantile, normalTwoSided, studentTwoSided } from '../../src/verdict/distributions.ts';
import { generatorFrom, seededGenerator } from '../../src/verdict/generator.ts';
import { mcNemarExact } from '../../src/verdict/mcnemar.ts';
import { statistic } from '../../src/verdict/metrics.ts';
import { pairedTOfAbsoluteErrors } from '../../src/verdict/paired-t.ts';
import { binaryModels, regressionModels, swapped, type Compared } from './models.ts';

function near(got: number, expected: number, tolerance = 1e-10): void {
  assert.ok(Math.abs(got - expected) <= tolerance * Math.abs(expected), `${got} is not ${expected}`);
}

const models = fc
  .record({
    rows: fc.integer({ min: 12, max: 90 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
    skill: fc.integer({ min: 0, max: 8 }),
  })
  .map(({ rows, seed, skill }) => binaryModels(rows, { challenger: skill / 10, champion: 0.3 }, seed))
  .filter(
    ({ labels }) =>
      labels.filter((label) => label === 1).length > 1 && labels.filter((label) => label === 0).length > 1,
  );

function deLong({ labels, challenger, champion }: Compared): ReturnType<typeof deLongTest> {
  return deLongTest(labels, challenger, champion, 0.95);
}

/** The 1988 paper's own way: every positive row against every negative one. */
function deLongByPairs({ labels, challenger, champion }: Compared): {
  readonly difference: number;
  readonly variance: number;
} {
  const rowsOf = (label: number): number[] => [...labels.keys()].filter((row) => labels[row] === label);
  const [positives, negatives] = [rowsOf(1), rowsOf(0)];
  const order = (scores: readonly number[], positive: number, negative: number): number =>
    (Math.sign((scores[positive] ?? 0) - (scores[negative] ?? 0)) + 1) / 2;
  const gain = (positive: number, negative: number): number =>
    order(challenger, positive, negative) - order(champion, positive, negative);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1);
  const ofPositives = positives.map((positive) => mean(negatives.map((negative) => gain(positive, negative))));
  const ofNegatives = negatives.map((negative) => mean(positives.map((positive) => gain(positive, negative))));
  return {
    difference: mean(ofPositives),
    variance: variance(ofPositives) / positives.length + variance(ofNegatives) / negatives.length,
  };
}

test("DeLong's test by midranks is the one by pairs", () => {
  fc.assert(
    fc.property(models, (compared) => {
      const [fast, slow] = [deLong(compared), deLongByPairs(compared)];
      assert.ok(Math.abs(fast.difference - slow.difference) < 1e-12);
      const reach = 1.959963984540054 * Math.sqrt(slow.variance);
      assert.ok(Math.abs(fast.high - fast.low - 2 * reach) < 1e-10);
    }),
    { seed: 21 },
  );
});

test("DeLong's interval turns around when the models change places, and forgets the order of the rows", () => {
  fc.assert(
    fc.property(models, (compared) => {
      const [one, other] = [deLong(compared), deLong(swapped(compared))];
      assert.ok(Math.abs(one.low + other.high) < 1e-12 && Math.abs(one.high + other.low) < 1e-12);
      assert.equal(one.p, other.p);
      const { labels, challenger, champion } = compared;
      const turned = deLong({
        labels: labels.toReversed(),
        challenger: challenger.toReversed(),
        champion: champion.toReversed(),
      });
      assert.ok(Math.abs(turned.low - one.low) < 1e-12);
    }),
    { seed: 22 },
  );
});

test("DeLong's test of a model against itself has no variance, no p and an interval of zero", () => {
  fc.assert(
    fc.property(models, ({ labels, challenger }) => {
      assert.deepEqual(deLongTest(labels, challenger, challenger, 0.95), { difference: 0, low: 0, high: 0, p: null });
    }),
    { seed: 23 },
  );
});

test('distribution functions have the values of the printed tables, far tails included', () => {
  near(normalQuantile(0.95), 1.959963984540054);
  near(normalQuantile(0.99), 2.5758293035489004);
  near(normalTwoSided(1.959963984540054), 0.05);
  near(normalTwoSided(0.1), 0.920344325445942);
  near(normalTwoSided(10), 1.523970604832105e-23);
  assert.equal(normalTwoSided(0), 1);
  near(studentTwoSided(2.228138851964939, 10), 0.05);
  near(studentTwoSided(1, 1), 0.5);
  near(studentTwoSided(12.706204736432095, 1), 0.05);
  near(incompleteBeta(2, 3, 0.5), 0.6875);
  assert.deepEqual([incompleteBeta(2, 3, 0), incompleteBeta(2, 3, 1)], [0, 1]);
});

test("McNemar's exact p counts coin tosses", () => {
  const labels = Array.from({ length: 10 }, () => 1);
  const scores = (right: readonly number[]): number[] => labels.map((_, row) => (right.includes(row) ? 0.9 : 0.1));
  // The challenger alone is right on five rows, the champion alone on one: 2 * (1 + 6) / 2^6.
  near(mcNemarExact(labels, scores([0, 1, 2, 3, 4]), scores([5])), 14 / 64);
  assert.equal(mcNemarExact(labels, scores([0]), scores([1])), 1);
  assert.equal(mcNemarExact(labels, scores([2]), scores([2])), 1);
});

test("McNemar's exact p stays a number for hundreds of rows that all speak for one model", () => {
  const labels = Array.from({ length: 900 }, () => 1);
  near(
    mcNemarExact(
      labels,
      labels.map(() => 0.9),
      labels.map(() => 0.1),
    ),
    2 * 2 ** -900,
  );
});

test('the paired t-test is the same for both orders of the models and has no p without spread', () => {
  const compared = regressionModels(50, { challenger: 10, champion: 14 });
  const { labels, challenger, champion } = compared;
  const p = pairedTOfAbsoluteErrors(labels, challenger, champion);
  assert.ok(p !== null && p > 0 && p < 1);
  near(pairedTOfAbsoluteErrors(labels, champion, challenger) ?? Number.NaN, p);
  assert.equal(pairedTOfAbsoluteErrors([1, 2, 3], [2, 3, 4], [1, 2, 3]), null);
});

test("the generator is xoshiro128** by its authors' definition", () => {
  const generator = generatorFrom([1, 2, 3, 4]);
  let state = [1n, 2n, 3n, 4n] as [bigint, bigint, bigint, bigint];
  const word = (value: bigint): bigint => BigInt.asUintN(32, value);
  const rotate = (value: bigint, bits: bigint): bigint => word((value << bits) | (value >> (32n - bits)));
  for (let step = 0; step < 200; step++) {
    let [s0, s1, s2, s3] = state;
    const expected = word(rotate(word(s1 * 5n), 7n) * 9n);
    const shifted = word(s1 << 9n);
    [s2, s3] = [s2 ^ s0, s3 ^ s1];
    [s1, s0] = [s1 ^ s2, s0 ^ s3];
    state = [s0, s1, s2 ^ shifted, rotate(s3, 11n)];
    assert.equal(generator.below(2 ** 32), Number(expected), `number ${step}`);
  }
});

test('the generator draws every row about equally often', () => {
  const generator = seededGenerator(1);
  const counts = [0, 0, 0, 0, 0, 0, 0];
  for (let draw = 0; draw < 70_000; draw++) {
    const row = generator.below(7);
    counts[row] = (counts[row] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, String(counts));
});

test("the bootstrap's interval of two ROC AUCs is about DeLong's", () => {
  const { labels, challenger, champion } = binaryModels(600, { challenger: 0.4, champion: 0.3 });
  const [ours, theirs] = [challenger, champion].map((scores) => statistic('roc_auc', labels, scores));
  const interval = pairedBootstrap(labels.length, (weights) => (ours?.(weights) ?? 0) - (theirs?.(weights) ?? 0), {
    confidence: 0.95,
  });
  const { low, high } = deLongTest(labels, challenger, champion, 0.95);
  const width = high - low;
  assert.ok(Math.abs(interval.low - low) < width / 10 && Math.abs(interval.high - high) < width / 10);
});

test("the bootstrap's interval holds the truth about as often as it says", () => {
  let held = 0;
  for (let seed = 1; seed <= 200; seed++) {
    // Both models err alike, so the true difference is zero.
    const { labels, challenger, champion } = regressionModels(60, { challenger: 10, champion: 10 }, seed);
    const [ours, theirs] = [challenger, champion].map((scores) => statistic('rmse', labels, scores));
    const { low, high } = pairedBootstrap(60, (weights) => (ours?.(weights) ?? 0) - (theirs?.(weights) ?? 0), {
      confidence: 0.9,
      resamples: 300,
    });
    if (low <= 0 && high >= 0) held++;
  }
  assert.ok(held >= 165 && held <= 195, `${held} of 200`);
});

test('the same seed gives the same interval, another seed nearly the same', () => {
  const { labels, challenger } = regressionModels(200, { challenger: 10, champion: 10 });
  const of = (seed: number): { readonly low: number; readonly high: number } =>
    pairedBootstrap(200, statistic('mae', labels, challenger), { confidence: 0.95, seed });
  assert.deepEqual(of(1), of(1));
  assert.notDeepEqual(of(1), of(2));
  assert.ok(Math.abs(of(1).low - of(2).low) < 0.1);
});
