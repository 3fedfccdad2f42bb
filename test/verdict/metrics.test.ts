import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { metricsOf } from '../../src/verdict/metrics.ts';

interface Rows {
  readonly labels: readonly number[];
  readonly scores: readonly number[];
}

const rowsOfBothClasses = fc
  .array(fc.record({ label: fc.constantFrom(0, 1), score: fc.integer({ min: 0, max: 20 }) }), {
    minLength: 2,
    maxLength: 60,
  })
  .filter((rows) => rows.some(({ label }) => label === 0) && rows.some(({ label }) => label === 1))
  .map((rows): Rows => ({ labels: rows.map(({ label }) => label), scores: rows.map(({ score }) => score / 20) }));

function near(got: number | null | undefined, expected: number, message?: string): void {
  assert.ok(
    typeof got === 'number' && Math.abs(got - expected) <= 1e-12 * Math.max(1, Math.abs(expected)),
    `${message ?? ''} ${got} is not ${expected}`,
  );
}

test('ROC AUC is the share of pairs of a positive and a negative row that are in order, ties counting half', () => {
  fc.assert(
    fc.property(rowsOfBothClasses, ({ labels, scores }) => {
      const of = (label: number): number[] => scores.filter((_, row) => labels[row] === label);
      const pairs = of(1).flatMap((positive) =>
        of(0).map((negative) => (positive > negative ? 1 : positive === negative ? 0.5 : 0)),
      );
      near(
        metricsOf('binary', labels, scores).roc_auc,
        pairs.reduce<number>((sum, pair) => sum + pair, 0) / pairs.length,
      );
    }),
    { seed: 3 },
  );
});

test('average precision sums the precision at each threshold over the recall that it adds', () => {
  fc.assert(
    fc.property(rowsOfBothClasses, ({ labels, scores }) => {
      const positives = labels.filter((label) => label === 1).length;
      let [area, recall] = [0, 0];
      for (const threshold of [...new Set(scores)].sort((a, b) => b - a)) {
        const chosen = labels.filter((_, row) => (scores[row] ?? 0) >= threshold);
        const hits = chosen.filter((label) => label === 1).length;
        area += (hits / positives - recall) * (hits / chosen.length);
        recall = hits / positives;
      }
      near(metricsOf('binary', labels, scores).average_precision, area);
    }),
    { seed: 4 },
  );
});

test('ranking metrics do not change when the scores are bent in the same order, nor when rows change places', () => {
  fc.assert(
    fc.property(rowsOfBothClasses, ({ labels, scores }) => {
      const before = metricsOf('binary', labels, scores);
      const bent = metricsOf(
        'binary',
        labels,
        scores.map((score) => 0.1 + score ** 3 / 2),
      );
      const turned = metricsOf('binary', labels.toReversed(), scores.toReversed());
      for (const metric of ['roc_auc', 'average_precision'] as const) {
        near(bent[metric], before[metric] ?? Number.NaN, metric);
        near(turned[metric], before[metric] ?? Number.NaN, metric);
      }
    }),
    { seed: 5 },
  );
});

test('a score of exactly one half counts as positive', () => {
  const values = metricsOf('binary', [1, 0, 1, 0, 1], [0.5, 0.5, 0.49, 0.1, 0.5]);
  assert.deepEqual([values.accuracy, values.precision, values.recall, values.f1], [3 / 5, 2 / 3, 2 / 3, 2 / 3]);
});

test('log loss stays finite for a model that is sure and wrong', () => {
  near(metricsOf('binary', [1, 0], [0, 0]).log_loss, -Math.log(Number.EPSILON) / 2);
  near(metricsOf('binary', [1, 0], [0.8, 0.4]).brier, (0.04 + 0.16) / 2);
});

test('what one class cannot define is null, and precision without an alarm is 0', () => {
  const negative = metricsOf('binary', [0, 0], [0.1, 0.9]);
  assert.deepEqual(
    [negative.roc_auc, negative.average_precision, negative.recall, negative.f1],
    [null, null, null, null],
  );
  assert.equal(metricsOf('binary', [1, 1], [0.1, 0.9]).roc_auc, null);
  assert.equal(metricsOf('binary', [1, 0], [0.1, 0.2]).precision, 0);
});

test('regression metrics of a small table worked out by hand', () => {
  const values = metricsOf('regression', [3, -0.5, 2, 7], [2.5, 0, 2, 8]);
  near(values.mae, 0.5);
  near(values.rmse, Math.sqrt(0.375));
  near(values.r2, 1 - 1.5 / 29.1875);
});

test('R² of equal labels is 1 for the model that is right and 0 for another, and none for a single row', () => {
  assert.equal(metricsOf('regression', [2, 2], [2, 2]).r2, 1);
  assert.equal(metricsOf('regression', [2, 2], [2, 3]).r2, 0);
  const tenths = Array.from({ length: 12 }, () => 0.1);
  assert.equal(
    metricsOf(
      'regression',
      tenths,
      tenths.map((label) => label + 1),
    ).r2,
    0,
  );
  assert.equal(metricsOf('regression', [2], [3]).r2, null);
});
