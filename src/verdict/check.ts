/** Whether the rows and the rule allow a verdict at all; each refusal is a sentence for the author of the step. */
import type { MetricName } from '../pipeline/definition.ts';
import { failure, success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';
import { metricFacts, metricNames } from './metrics.ts';
import type { Predictions, VerdictRule } from './verdict.ts';

/** A thousand resamples of so many rows take about a minute; of 10 000 rows, a tenth of a second. */
export const rowsMax = 1_000_000;

/** Succeeds with the number of rows. */
export function checkInput(predictions: Predictions, rule: VerdictRule): Result<number, string> {
  const { labels, challenger, champion } = predictions;
  const wrongRule = findWrongRule(rule);
  if (wrongRule !== null) return failure(wrongRule);
  if (labels.length === 0) return failure('there are no evaluation rows');
  if (labels.length > rowsMax)
    return failure(`there are ${labels.length} evaluation rows: at most ${rowsMax} are accepted`);
  const models = [['challenger', challenger] as const, ...(champion === null ? [] : [['champion', champion] as const])];
  const wrongRow =
    findWrongLabel(labels, rule.task) ??
    models
      .map(([name, scores]) => findWrongScore(name, scores, labels.length, rule.task))
      .find((found) => found !== null) ??
    findMissingClass(labels, rule);
  return wrongRow === null ? success(labels.length) : failure(wrongRow);
}

function findWrongRule(rule: VerdictRule): string | null {
  const accepted = metricNames(rule.task);
  const unfit = [rule.metric, ...rule.guardrails.map(({ metric }) => metric)].find(
    (metric) => !accepted.includes(metric),
  );
  if (unfit !== undefined) return `${unfit} is no metric of a ${rule.task} task: use one of ${accepted.join(', ')}`;
  if (!(rule.confidence >= 0.5 && rule.confidence < 1))
    return `the confidence ${rule.confidence} is not from 0.5 to below 1`;
  if (rule.threshold !== null && !Number.isFinite(rule.threshold))
    return `the threshold ${rule.threshold} is no number`;
  const amounts = [
    ['minAbsoluteChange', rule.minAbsoluteChange] as const,
    ['minRelativeChange', rule.minRelativeChange] as const,
    ...rule.guardrails.map(({ metric, maxLoss }) => [`maxLoss of ${metric}`, maxLoss] as const),
  ];
  const negative = amounts.find(([, amount]) => !(Number.isFinite(amount) && amount >= 0));
  return negative === undefined ? null : `${negative[0]} is ${negative[1]}: it must be 0 or more`;
}

/** Of larger ones the sum of squares is no number any more, and a model that diverged would be compared with one. */
const largest = 1e100;
const usable = `numbers from ${-largest} to ${largest}`;

function isUsable(value: number): boolean {
  return Math.abs(value) <= largest;
}

function findWrongLabel(labels: readonly number[], task: VerdictRule['task']): string | null {
  const row = labels.findIndex((label) => (task === 'binary' ? label !== 0 && label !== 1 : !isUsable(label)));
  if (row === -1) return null;
  return `the label of row ${row + 1} is ${labels[row]}: ${task === 'binary' ? 'labels must be 0 or 1' : `labels must be ${usable}`}`;
}

function findWrongScore(
  model: string,
  scores: readonly number[],
  rows: number,
  task: VerdictRule['task'],
): string | null {
  if (scores.length !== rows) return `there are ${rows} labels but ${scores.length} scores of the ${model}`;
  const row = scores.findIndex((score) => (task === 'binary' ? !(score >= 0 && score <= 1) : !isUsable(score)));
  if (row === -1) return null;
  const accepted = task === 'binary' ? 'scores must be probabilities from 0 to 1' : `predictions must be ${usable}`;
  return `the ${model}'s score of row ${row + 1} is ${scores[row]}: ${accepted}`;
}

function findMissingClass(labels: readonly number[], rule: VerdictRule): string | null {
  if (rule.task === 'regression') {
    const asked = [rule.metric, ...rule.guardrails.map(({ metric }) => metric)];
    return labels.length < 2 && asked.includes('r2') ? 'R² cannot be computed of a single row' : null;
  }
  for (const metric of [rule.metric, ...rule.guardrails.map(({ metric }) => metric)]) {
    const missing = needed(metric).find((label) => !labels.includes(label));
    if (missing !== undefined) {
      return `${metricFacts[metric].title} cannot be computed: no evaluation row has the label ${missing}`;
    }
  }
  return null;
}

/** The labels without which the metric is not defined. */
function needed(metric: MetricName): readonly number[] {
  const { restsOn } = metricFacts[metric];
  switch (restsOn) {
    case 'both-classes':
      return [1, 0];
    case 'positives':
      return [1];
    case 'rows':
      return [];
    default:
      return unreachable(restsOn);
  }
}
