/**
 * The metrics, each defined once: as a function of how often each row counts. With every row once it is the metric itself,
 * with the multiplicities of a resample it is one bootstrap replicate, so sorting and logarithms are paid once. Values
 * agree with scikit-learn's of the same names; the classes are cut at a score of 0.5.
 */
import { binaryMetrics, regressionMetrics, type MetricName } from '../pipeline/definition.ts';
import { unreachable } from '../std/unreachable.ts';
import { rank } from './ranking.ts';
import type { VerdictRule } from './verdict.ts';

/** How often each row counts. */
export type Weights = Uint16Array;

/** A metric over fixed rows; NaN where it is not defined. */
export type Statistic = (weights: Weights) => number;

export type MetricValues = { readonly [metric in MetricName]?: number | null };

interface MetricFacts {
  readonly greaterIsBetter: boolean;
  /** As in the middle of a sentence. */
  readonly title: string;
  /** Whether rows of the positive class, or of both classes, are what it rests on. */
  readonly restsOn: 'rows' | 'positives' | 'both-classes';
}

export const metricFacts: { readonly [metric in MetricName]: MetricFacts } = {
  roc_auc: { greaterIsBetter: true, title: 'ROC AUC', restsOn: 'both-classes' },
  average_precision: { greaterIsBetter: true, title: 'average precision', restsOn: 'positives' },
  accuracy: { greaterIsBetter: true, title: 'accuracy', restsOn: 'rows' },
  f1: { greaterIsBetter: true, title: 'F1', restsOn: 'positives' },
  precision: { greaterIsBetter: true, title: 'precision', restsOn: 'positives' },
  recall: { greaterIsBetter: true, title: 'recall', restsOn: 'positives' },
  log_loss: { greaterIsBetter: false, title: 'log loss', restsOn: 'rows' },
  brier: { greaterIsBetter: false, title: 'Brier score', restsOn: 'rows' },
  mae: { greaterIsBetter: false, title: 'mean absolute error', restsOn: 'rows' },
  rmse: { greaterIsBetter: false, title: 'root mean squared error', restsOn: 'rows' },
  r2: { greaterIsBetter: true, title: 'R²', restsOn: 'rows' },
};

/** The metrics of a task, in the order in which they are shown. */
export function metricNames(task: VerdictRule['task']): readonly MetricName[] {
  return task === 'binary' ? binaryMetrics : regressionMetrics;
}

/** Every metric of the task for one model; null where it is not defined (ROC AUC of a single class). */
export function metricsOf(
  task: VerdictRule['task'],
  labels: readonly number[],
  scores: readonly number[],
): MetricValues {
  const once = new Uint16Array(labels.length).fill(1);
  const values: { [metric in MetricName]?: number | null } = {};
  for (const metric of metricNames(task)) {
    const value = statistic(metric, labels, scores)(once);
    values[metric] = Number.isNaN(value) ? null : value;
  }
  return values;
}

/** The metric as a function of the rows' weights. */
export function statistic(metric: MetricName, labels: readonly number[], scores: readonly number[]): Statistic {
  switch (metric) {
    case 'roc_auc':
      return areaUnderRoc(labels, scores);
    case 'average_precision':
      return averagePrecision(labels, scores);
    case 'accuracy':
      return meanOf(labels, scores, (label, score) => (score >= 0.5 === (label === 1) ? 1 : 0));
    case 'f1':
      return fromConfusion(
        labels,
        scores,
        ({ hits, falseAlarms, misses }) => (2 * hits) / (2 * hits + falseAlarms + misses),
      );
    case 'precision':
      return fromConfusion(labels, scores, ({ hits, falseAlarms }) =>
        hits + falseAlarms === 0 ? 0 : hits / (hits + falseAlarms),
      );
    case 'recall':
      return fromConfusion(labels, scores, ({ hits, misses }) => hits / (hits + misses));
    case 'log_loss':
      return meanOf(labels, scores, logLoss);
    case 'brier':
      return meanOf(labels, scores, (label, score) => (score - label) ** 2);
    case 'mae':
      return meanOf(labels, scores, (label, score) => Math.abs(score - label));
    case 'rmse': {
      const meanSquare = meanOf(labels, scores, (label, score) => (score - label) ** 2);
      return (weights) => Math.sqrt(meanSquare(weights));
    }
    case 'r2':
      return determination(labels, scores);
    default:
      return unreachable(metric);
  }
}

/** scikit-learn keeps probabilities this far from 0 and 1: the spacing of doubles at 1. */
function logLoss(label: number, score: number): number {
  const probability = label === 1 ? score : 1 - score;
  return -Math.log(Math.min(Math.max(probability, Number.EPSILON), 1 - Number.EPSILON));
}

function meanOf(
  labels: readonly number[],
  scores: readonly number[],
  contribution: (label: number, score: number) => number,
): Statistic {
  const contributions = Float64Array.from(labels, (label, row) => contribution(label, scores[row] ?? Number.NaN));
  return (weights) => {
    let [sum, rows] = [0, 0];
    for (let row = 0; row < contributions.length; row++) {
      const weight = weights[row] ?? 0;
      sum += weight * (contributions[row] ?? 0);
      rows += weight;
    }
    return sum / rows;
  };
}

interface Confusion {
  readonly hits: number;
  readonly falseAlarms: number;
  readonly misses: number;
}

function fromConfusion(
  labels: readonly number[],
  scores: readonly number[],
  value: (confusion: Confusion) => number,
): Statistic {
  // 0: rightly negative, 1: miss, 2: false alarm, 3: hit
  const cells = Uint8Array.from(labels, (label, row) => label + ((scores[row] ?? 0) >= 0.5 ? 2 : 0));
  return (weights) => {
    const counts = [0, 0, 0, 0];
    for (let row = 0; row < cells.length; row++) {
      const cell = cells[row] ?? 0;
      counts[cell] = (counts[cell] ?? 0) + (weights[row] ?? 0);
    }
    const [, misses = 0, falseAlarms = 0, hits = 0] = counts;
    return hits + misses === 0 ? Number.NaN : value({ hits, falseAlarms, misses });
  };
}

/** The chance that a positive row scores above a negative one, a tie counting half (Mann and Whitney's U). */
function areaUnderRoc(labels: readonly number[], scores: readonly number[]): Statistic {
  const { order, groupEnds } = rank(scores);
  const positive = Uint8Array.from(labels);
  return (weights) => {
    let [positives, negatives, pairs, start] = [0, 0, 0, 0];
    for (const end of groupEnds) {
      let [groupPositives, groupNegatives] = [0, 0];
      for (; start < end; start++) {
        const row = order[start] ?? 0;
        if (positive[row] === 1) groupPositives += weights[row] ?? 0;
        else groupNegatives += weights[row] ?? 0;
      }
      pairs += groupPositives * (negatives + groupNegatives / 2);
      positives += groupPositives;
      negatives += groupNegatives;
    }
    return pairs / (positives * negatives);
  };
}

/** The mean of the precision over the steps of recall, thresholds from the highest score down, without interpolation. */
function averagePrecision(labels: readonly number[], scores: readonly number[]): Statistic {
  const { order, groupEnds } = rank(scores);
  const positive = Uint8Array.from(labels);
  return (weights) => {
    let [hits, alarms, area, index] = [0, 0, 0, order.length - 1];
    for (let group = groupEnds.length - 1; group >= 0; group--) {
      const start = groupEnds[group - 1] ?? 0;
      const hitsBefore = hits;
      for (; index >= start; index--) {
        const row = order[index] ?? 0;
        const weight = weights[row] ?? 0;
        alarms += weight;
        if (positive[row] === 1) hits += weight;
      }
      if (hits > hitsBefore) area += (hits - hitsBefore) * (hits / alarms);
    }
    return area / hits;
  };
}

/** Where all labels are equal: 1 for a model that is always right, otherwise 0, as in scikit-learn. */
function determination(labels: readonly number[], scores: readonly number[]): Statistic {
  const meanSquare = meanOf(labels, scores, (label, score) => (score - label) ** 2);
  const mean = meanOf(labels, labels, (label) => label);
  return (weights) => {
    const center = mean(weights);
    let [sum, rows] = [0, 0];
    let first: number | null = null;
    // Not by the sum of squares: the mean of equal labels is rounded, and leaves some.
    let areEqual = true;
    for (let row = 0; row < labels.length; row++) {
      const weight = weights[row] ?? 0;
      if (weight > 0) {
        first ??= labels[row] ?? 0;
        areEqual &&= labels[row] === first;
      }
      sum += weight * ((labels[row] ?? 0) - center) ** 2;
      rows += weight;
    }
    if (rows < 2) return Number.NaN;
    const error = meanSquare(weights);
    if (areEqual || sum === 0) return error === 0 ? 1 : 0;
    return 1 - error / (sum / rows);
  };
}
