import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { judge } from '../../src/verdict/decide.ts';
import { metricNames } from '../../src/verdict/metrics.ts';
import type { Predictions, Verdict, VerdictRule } from '../../src/verdict/verdict.ts';
import { binaryModels, regressionModels, ruleOf, swapped, type Compared } from './models.ts';

function verdictOf(predictions: Predictions, rule: VerdictRule): Verdict {
  const judged = judge(predictions, rule);
  assert.ok(judged.ok, judged.ok ? '' : judged.error);
  return judged.value;
}

function refusalOf(predictions: Predictions, rule: VerdictRule = ruleOf()): string {
  const judged = judge(predictions, rule);
  assert.ok(!judged.ok);
  return judged.error;
}

function summary({ kind, promotable }: Verdict): string {
  return `${kind}${promotable ? ', promotable' : ''}`;
}

const clear = binaryModels(1000, { challenger: 0.45, champion: 0.2 });
const same = binaryModels(1000, { challenger: 0.3, champion: 0.3 });
const alone: Predictions = { ...clear, champion: null };

test('a clear gain above what is required is better and may be promoted', () => {
  const verdict = verdictOf(clear, ruleOf({ minAbsoluteChange: 0.005 }));
  assert.equal(summary(verdict), 'better, promotable');
  assert.match(
    verdict.reason,
    /^ROC AUC rose from 0\.\d{3} to 0\.\d{3} \(\+0\.\d{3}, 95 % interval \+0\.\d{3} to \+0\.\d{3}, p < 0\.001\), above the required \+0\.005\.$/,
  );
  assert.equal(verdict.required, 0.005);
  assert.equal(verdict.difference?.method, 'delong');
});

test('the same gain the other way round is worse', () => {
  const verdict = verdictOf(swapped(clear), ruleOf());
  assert.equal(summary(verdict), 'worse');
  assert.match(verdict.reason, /^ROC AUC fell from .*: the challenger is worse than the champion\.$/);
});

test('a difference that may be chance is inconclusive', () => {
  const verdict = verdictOf(same, ruleOf());
  assert.equal(summary(verdict), 'inconclusive');
  assert.match(verdict.reason, /the interval holds zero, so the difference may be chance\.$/);
});

test('a model that scores as the champion does is told to be no other, and not that a difference may be chance', () => {
  for (const predictions of [clear, regressionModels(200, { challenger: 1, champion: 2 })]) {
    const twice = { ...predictions, champion: predictions.challenger };
    const verdict = verdictOf(twice, ruleOf(predictions === clear ? {} : { task: 'regression', metric: 'rmse' }));
    assert.equal(summary(verdict), 'inconclusive');
    assert.match(verdict.reason, /stayed at .*: the two models do not differ on these rows\.$/);
  }
});

test('a real gain below what is required is inconclusive, by an absolute or a relative requirement', () => {
  for (const rule of [
    ruleOf({ minAbsoluteChange: 0.5 }),
    ruleOf({ minRelativeChange: 0.9, minAbsoluteChange: 0.001 }),
  ]) {
    const verdict = verdictOf(clear, rule);
    assert.equal(summary(verdict), 'inconclusive');
    assert.match(verdict.reason, /: a real gain, but below the required \+0\.\d{3}\.$/);
  }
  const champion = verdictOf(clear, ruleOf()).metrics[0]?.champion ?? Number.NaN;
  assert.equal(verdictOf(clear, ruleOf({ minRelativeChange: 0.9 })).required, 0.9 * champion);
});

test('a gain of exactly what is required is enough, whatever the last digits of doubles are', () => {
  // 0.7 - 0.4 is 0.29999999999999993.
  const labels = Array.from({ length: 100 }, () => 1);
  const right = (count: number): number[] => labels.map((_, row) => (row < count ? 0.9 : 0.1));
  const verdict = verdictOf(
    { labels, challenger: right(70), champion: right(40) },
    ruleOf({ metric: 'accuracy', minAbsoluteChange: 0.3, threshold: 0.7 }),
  );
  assert.equal(summary(verdict), 'better, promotable');
  assert.match(verdict.reason, /^Accuracy rose from 0\.400 to 0\.700 .*, equal to the required \+0\.300\.$/);
});

test('without a champion the first model that meets the threshold wins', () => {
  assert.equal(summary(verdictOf(alone, ruleOf())), 'no-champion, promotable');
  const met = verdictOf(alone, ruleOf({ threshold: 0.6 }));
  assert.equal(summary(met), 'no-champion, promotable');
  assert.match(
    met.reason,
    /^ROC AUC is 0\.\d{3}, which meets the threshold of at least 0\.6; there is no champion yet\.$/,
  );
  assert.equal(met.difference, null);
  const missed = verdictOf(alone, ruleOf({ threshold: 0.99 }));
  assert.equal(summary(missed), 'below-threshold');
  assert.match(missed.reason, /which misses the threshold of at least 0\.99; there is no champion yet\.$/);
});

test('a threshold of a metric where lower is better is a ceiling', () => {
  const rule = ruleOf({ metric: 'brier' });
  const brier = verdictOf(alone, rule).metrics.find(({ metric }) => metric === 'brier')?.challenger ?? Number.NaN;
  assert.equal(verdictOf(alone, { ...rule, threshold: brier }).kind, 'no-champion');
  assert.equal(verdictOf(alone, { ...rule, threshold: brier + 0.01 }).kind, 'no-champion');
  const missed = verdictOf(alone, { ...rule, threshold: brier - 0.01 });
  assert.equal(missed.kind, 'below-threshold');
  assert.match(missed.reason, /misses the threshold of at most/);
});

test('a challenger that beats the champion and still misses the threshold is not promoted', () => {
  const verdict = verdictOf(clear, ruleOf({ threshold: 0.99 }));
  assert.equal(summary(verdict), 'below-threshold');
  assert.match(verdict.reason, /^ROC AUC rose .*, which misses the threshold of at least 0\.99\.$/);
});

test('a broken guardrail makes a better model worse, and the sentence names it', () => {
  const timid: Compared = { ...clear, challenger: clear.challenger.map((score) => score * 0.4) };
  const verdict = verdictOf(timid, ruleOf({ guardrails: [{ metric: 'recall', maxLoss: 0.02 }] }));
  assert.equal(summary(verdict), 'worse');
  assert.match(
    verdict.reason,
    /^ROC AUC rose .*, but recall fell from 0\.\d{3} to 0\.\d{3}, where at most 0\.020 may be lost\.$/,
  );
  assert.deepEqual(verdict.metrics.find(({ metric }) => metric === 'recall')?.guardrail, {
    maxLoss: 0.02,
    held: false,
  });
  const held = verdictOf(clear, ruleOf({ guardrails: [{ metric: 'log_loss', maxLoss: 0.5 }] }));
  assert.equal(summary(held), 'better, promotable');
});

test('a guardrail holds where exactly as much is lost as may be', () => {
  // 0.9 - 0.7 is 0.20000000000000007.
  const labels = Array.from({ length: 100 }, () => 1);
  const right = (count: number): number[] => labels.map((_, row) => (row < count ? 0.9 : 0.1));
  const rule = ruleOf({ metric: 'brier', guardrails: [{ metric: 'accuracy', maxLoss: 0.2 }] });
  const verdict = verdictOf({ labels, challenger: right(70), champion: right(90) }, rule);
  assert.deepEqual(verdict.metrics.find(({ metric }) => metric === 'accuracy')?.guardrail, {
    maxLoss: 0.2,
    held: true,
  });
});

test('a guardrail counts a rise as the loss where lower is better', () => {
  const bold: Compared = { ...clear, challenger: clear.challenger.map((score) => (score > 0.5 ? 1 : 0)) };
  const verdict = verdictOf(bold, ruleOf({ metric: 'accuracy', guardrails: [{ metric: 'log_loss', maxLoss: 0.1 }] }));
  assert.match(verdict.reason, /but log loss rose from/);
});

test('a handful of rows never decides, however clear it looks', () => {
  const rows = (count: number): number[] => Array.from({ length: count }, (_, row) => row % 2);
  const few: Compared = { labels: rows(10), challenger: rows(10), champion: rows(10).map((label) => 1 - label) };
  for (const metric of ['roc_auc', 'recall', 'average_precision'] as const) {
    const verdict = verdictOf(few, ruleOf({ metric }));
    assert.equal(verdict.kind, 'inconclusive', metric);
    assert.match(
      verdict.reason,
      /, but only 5 rows have the label 1, and at least 6 are needed to tell two models apart at 95 %\.$/,
    );
    assert.equal(verdictOf(swapped(few), ruleOf({ metric })).kind, 'inconclusive', metric);
  }
  assert.equal(verdictOf({ ...few, labels: rows(10) }, ruleOf({ metric: 'accuracy' })).kind, 'better');
  const enough: Compared = { labels: rows(12), challenger: rows(12), champion: rows(12).map((label) => 1 - label) };
  assert.equal(verdictOf(enough, ruleOf()).kind, 'better');
  assert.equal(verdictOf(enough, ruleOf({ confidence: 0.99 })).kind, 'inconclusive');
});

test('where the exact test disagrees with the interval nothing is decided', () => {
  // Five rows of 1000 speak for the challenger and none against it: the bootstrap is sure, McNemar's p is 0.0625.
  const labels = Array.from({ length: 1000 }, () => 1);
  const right = (count: number): number[] => labels.map((_, row) => (row < count ? 0.9 : 0.1));
  const compared: Compared = { labels, challenger: right(905), champion: right(900) };
  const verdict = verdictOf(compared, ruleOf({ metric: 'accuracy' }));
  assert.ok((verdict.difference?.low ?? 0) > 0);
  assert.equal(verdict.kind, 'inconclusive');
  assert.match(verdict.reason, /p = 0\.06[23]\): the exact test does not confirm it at 95 %\.$/);
  assert.equal(verdictOf(swapped(compared), ruleOf({ metric: 'accuracy' })).kind, 'inconclusive');
});

test('a model against itself is inconclusive by every metric', () => {
  const regression = regressionModels(100, { challenger: 5, champion: 5 });
  for (const [task, compared] of [
    ['binary', clear],
    ['regression', regression],
  ] as const) {
    for (const metric of metricNames(task)) {
      const verdict = verdictOf({ ...compared, champion: compared.challenger }, ruleOf({ task, metric }));
      assert.equal(summary(verdict), 'inconclusive', metric);
      assert.deepEqual([verdict.difference?.value, verdict.difference?.low, verdict.difference?.high], [0, 0, 0]);
    }
  }
});

test('a better model is better, and its mirror image worse, by every metric', () => {
  const regression = regressionModels(400, { challenger: 10, champion: 20 });
  for (const [task, compared] of [
    ['binary', clear],
    ['regression', regression],
  ] as const) {
    for (const metric of metricNames(task)) {
      assert.equal(verdictOf(compared, ruleOf({ task, metric })).kind, 'better', metric);
      assert.equal(verdictOf(swapped(compared), ruleOf({ task, metric })).kind, 'worse', metric);
    }
  }
});

test('the order of the rows changes nothing at all', () => {
  const order = fc.shuffledSubarray([...clear.labels.keys()], { minLength: 1000, maxLength: 1000 });
  const metric = fc.constantFrom('roc_auc', 'average_precision', 'brier', 'accuracy');
  fc.assert(
    fc.property(order, metric, (rows, metric) => {
      const pick = (values: readonly number[]): number[] => rows.map((row) => values[row] ?? 0);
      const shuffled: Compared = {
        labels: pick(clear.labels),
        challenger: pick(clear.challenger),
        champion: pick(clear.champion),
      };
      assert.deepEqual(verdictOf(shuffled, ruleOf({ metric })), verdictOf(clear, ruleOf({ metric })));
    }),
    { seed: 31, numRuns: 12 },
  );
});

test('bending the scores in the same order leaves a verdict by ROC AUC as it is', () => {
  const bent: Compared = {
    ...clear,
    challenger: clear.challenger.map((score) => score ** 3),
    champion: clear.champion.map((score) => score / 2),
  };
  const [before, after] = [verdictOf(clear, ruleOf()), verdictOf(bent, ruleOf())];
  assert.deepEqual(after.difference, before.difference);
  assert.equal(after.reason, before.reason);
});

test('small differences are written with as many digits as they need', () => {
  const labels = Array.from({ length: 60_000 }, (_, row) => row % 2);
  const scores = (shift: number): number[] => labels.map((label, row) => (row % 7) / 10 + label * shift);
  const verdict = verdictOf({ labels, challenger: scores(0.2003), champion: scores(0.2) }, ruleOf({ metric: 'brier' }));
  assert.match(verdict.reason, /\(gain \+0\.000\d*[1-9]\d*, /);
});

test('metrics of the whole task stand in the verdict, null where they are not defined', () => {
  const verdict = verdictOf({ labels: [1, 1], challenger: [0.9, 0.2], champion: null }, ruleOf({ metric: 'accuracy' }));
  assert.deepEqual(verdict.metrics.map(({ metric, challenger }) => [metric, challenger]).slice(0, 3), [
    ['roc_auc', null],
    ['average_precision', 1],
    ['accuracy', 0.5],
  ]);
});

test('rows that cannot be judged are refused with the row and the reason', () => {
  const labels = [0, 1, 1];
  const scores = [0.1, 0.9, 0.8];
  const cases: readonly (readonly [Predictions, string])[] = [
    [{ labels: [], challenger: [], champion: null }, 'there are no evaluation rows'],
    [{ labels, challenger: [0.1], champion: null }, 'there are 3 labels but 1 scores of the challenger'],
    [{ labels, challenger: scores, champion: [0.1] }, 'there are 3 labels but 1 scores of the champion'],
    [{ labels: [0, 2, 1], challenger: scores, champion: null }, 'the label of row 2 is 2: labels must be 0 or 1'],
    [
      { labels, challenger: [0.1, 1.5, 0], champion: null },
      "the challenger's score of row 2 is 1.5: scores must be probabilities from 0 to 1",
    ],
    [
      { labels, challenger: scores, champion: [0.1, 0.2, Number.NaN] },
      "the champion's score of row 3 is NaN: scores must be probabilities from 0 to 1",
    ],
    [
      { labels: [1, 1, 1], challenger: scores, champion: null },
      'ROC AUC cannot be computed: no evaluation row has the label 0',
    ],
    [
      { labels: [0, 0, 0], challenger: scores, champion: null },
      'ROC AUC cannot be computed: no evaluation row has the label 1',
    ],
  ];
  for (const [predictions, expected] of cases) assert.equal(refusalOf(predictions), expected);
  const regression = ruleOf({ task: 'regression', metric: 'r2' });
  assert.match(
    refusalOf({ labels: [1, Number.POSITIVE_INFINITY], challenger: [1, 2], champion: null }, regression),
    /label of row 2/,
  );
  assert.equal(
    refusalOf(
      { labels: [1, 2], challenger: [1, 1e200], champion: [1, 2] },
      ruleOf({ task: 'regression', metric: 'rmse' }),
    ),
    "the challenger's score of row 2 is 1e+200: predictions must be numbers from -1e+100 to 1e+100",
  );
  assert.match(
    refusalOf({ labels: [1], challenger: [1], champion: null }, regression),
    /R² cannot be computed of a single row/,
  );
});

test('a rule that cannot be followed is refused', () => {
  assert.match(refusalOf(clear, ruleOf({ metric: 'mae' })), /^mae is no metric of a binary task: use one of roc_auc, /);
  assert.match(refusalOf(clear, ruleOf({ guardrails: [{ metric: 'r2', maxLoss: 0 }] })), /^r2 is no metric/);
  assert.match(refusalOf(clear, ruleOf({ confidence: 1 })), /confidence 1 /);
  assert.match(refusalOf(clear, ruleOf({ minAbsoluteChange: -1 })), /minAbsoluteChange is -1: it must be 0 or more/);
  assert.match(
    refusalOf(clear, ruleOf({ guardrails: [{ metric: 'f1', maxLoss: Number.NaN }] })),
    /maxLoss of f1 is NaN/,
  );
  assert.match(refusalOf(clear, ruleOf({ threshold: Number.NaN })), /threshold NaN/);
});
