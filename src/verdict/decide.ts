/**
 * From rows and a rule to a verdict. Two questions are kept apart, since each alone misleads:
 *
 *     is it real?        the interval of the gain lies above zero, and where an exact test exists it agrees
 *     is it worth it?    the gain itself reaches what the rule asks for
 *
 * The interval is held against zero and not against the required gain: a rule of +0.005 would otherwise demand a gain of
 * 0.005 plus half an interval, which grows as the evaluation set shrinks and which nobody wrote down. A large set proves
 * a gain too small to matter (the second question stops it), a small one shows a large gain by luck (the first does).
 */
import type { MetricName } from '../pipeline/definition.ts';
import { success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';
import { pairedBootstrap } from './bootstrap.ts';
import { checkInput } from './check.ts';
import { deLongTest } from './delong.ts';
import { mcNemarExact } from './mcnemar.ts';
import { metricFacts, metricNames, metricsOf, statistic, type MetricValues } from './metrics.ts';
import { pairedTOfAbsoluteErrors } from './paired-t.ts';
import { explain, type Finding } from './reason.ts';
import type { MetricComparison, Predictions, Verdict, VerdictKind, VerdictRule } from './verdict.ts';

/** Sums of doubles differ in the last places: 0.805 - 0.8 reaches 0.005. */
const rounding = 1e-12;

type Difference = NonNullable<Verdict['difference']>;
interface Comparison extends Predictions {
  readonly champion: readonly number[];
}

/** Judges the challenger by the rule; the error is a sentence that says which row or which part of the rule is wrong. */
export function judge(predictions: Predictions, rule: VerdictRule): Result<Verdict, string> {
  const checked = checkInput(predictions, rule);
  if (!checked.ok) return checked;
  const { labels, challenger, champion } = inCanonicalOrder(predictions);
  const ours = metricsOf(rule.task, labels, challenger);
  const theirs = champion === null ? null : metricsOf(rule.task, labels, champion);
  const metrics = compareMetrics(rule, ours, theirs);
  const difference = champion === null ? null : measureGain({ labels, challenger, champion }, rule, ours, theirs ?? {});
  const required = Math.max(rule.minAbsoluteChange, rule.minRelativeChange * Math.abs(theirs?.[rule.metric] ?? 0));
  const finding = decide(rule, { metrics, difference, required, shortage: findShortage(labels, rule) });
  const kind = kindOf(finding);
  return success({
    kind,
    promotable: kind === 'better' || kind === 'no-champion',
    reason: explain(finding, { rule, metrics, difference, required }),
    rows: checked.value,
    metric: rule.metric,
    metrics,
    difference,
    required,
    threshold: rule.threshold,
  });
}

/** The order of the rows must not matter, but the bootstrap draws them by number: they are sorted first. */
function inCanonicalOrder({ labels, challenger, champion }: Predictions): Predictions {
  const rows = [...labels.keys()].sort(
    (a, b) =>
      (labels[a] ?? 0) - (labels[b] ?? 0) ||
      (challenger[a] ?? 0) - (challenger[b] ?? 0) ||
      (champion?.[a] ?? 0) - (champion?.[b] ?? 0),
  );
  const sorted = (values: readonly number[]): readonly number[] => rows.map((row) => values[row] ?? 0);
  return {
    labels: sorted(labels),
    challenger: sorted(challenger),
    champion: champion === null ? null : sorted(champion),
  };
}

function compareMetrics(
  rule: VerdictRule,
  ours: MetricValues,
  theirs: MetricValues | null,
): readonly MetricComparison[] {
  return metricNames(rule.task).map((metric) => {
    const { greaterIsBetter } = metricFacts[metric];
    const [challenger, champion] = [ours[metric] ?? null, theirs?.[metric] ?? null];
    const guardrail = rule.guardrails.find((candidate) => candidate.metric === metric);
    const loss = challenger === null || champion === null ? 0 : -gain(metric, challenger, champion);
    return {
      metric,
      greaterIsBetter,
      challenger,
      champion,
      guardrail:
        guardrail === undefined ? null : { maxLoss: guardrail.maxLoss, held: loss <= guardrail.maxLoss + rounding },
    };
  });
}

/** What the challenger is ahead by, in the metric's own direction: positive is a gain. */
function gain(metric: MetricName, challenger: number, champion: number): number {
  return metricFacts[metric].greaterIsBetter ? challenger - champion : champion - challenger;
}

function measureGain(
  { labels, challenger, champion }: Comparison,
  { metric, confidence }: VerdictRule,
  ours: MetricValues,
  theirs: MetricValues,
): Difference {
  if (metric === 'roc_auc') {
    const { difference, low, high, p } = deLongTest(labels, challenger, champion, confidence);
    return { value: difference, low, high, confidence, p, method: 'delong' };
  }
  const [ourStatistic, theirStatistic] = [challenger, champion].map((scores) => statistic(metric, labels, scores));
  const interval = pairedBootstrap(
    labels.length,
    (weights) => gain(metric, ourStatistic?.(weights) ?? Number.NaN, theirStatistic?.(weights) ?? Number.NaN),
    { confidence },
  );
  const value = gain(metric, ours[metric] ?? Number.NaN, theirs[metric] ?? Number.NaN);
  return {
    value,
    ...interval,
    confidence,
    p: exactTest(metric, { labels, challenger, champion }),
    method: 'paired-bootstrap',
  };
}

/** The p of a test made for this metric, where there is one. */
function exactTest(metric: MetricName, { labels, challenger, champion }: Comparison): number | null {
  if (metric === 'accuracy') return mcNemarExact(labels, challenger, champion);
  if (metric === 'mae') return pairedTOfAbsoluteErrors(labels, challenger, champion);
  return null;
}

/**
 * Too few rows of what the metric rests on, in words; null where there are enough. Even if every one of n rows spoke for
 * the challenger, the sign test's p would be 2 / 2^n: below that no method can tell, whatever its interval claims (with
 * three rows a bootstrap's is easily above zero). Six rows at 95 %, eight at 99 %.
 */
function findShortage(labels: readonly number[], { metric, confidence }: VerdictRule): string | null {
  const needed = Math.ceil(Math.log2(2 / (1 - confidence)) - rounding);
  const positives = labels.filter((label) => label === 1).length;
  const least = `at least ${needed} are needed`;
  const { restsOn } = metricFacts[metric];
  if (restsOn !== 'rows' && positives < needed) return `only ${rows(positives)} the label 1, and ${least}`;
  const negatives = labels.length - positives;
  if (restsOn === 'both-classes' && negatives < needed) return `only ${rows(negatives)} the label 0, and ${least}`;
  return labels.length < needed ? `there are only ${labels.length} rows, and ${least}` : null;
}

function rows(count: number): string {
  return count === 1 ? '1 row has' : `${count} rows have`;
}

interface Evidence {
  readonly metrics: readonly MetricComparison[];
  readonly difference: Difference | null;
  readonly required: number;
  readonly shortage: string | null;
}

/** The first that applies; a proven loss outranks everything, a threshold that is missed outranks a gain. */
function decide(rule: VerdictRule, { metrics, difference, required, shortage }: Evidence): Finding {
  const challenger = metrics.find(({ metric }) => metric === rule.metric)?.challenger ?? Number.NaN;
  const clears = rule.threshold === null || gain(rule.metric, challenger, rule.threshold) >= -rounding;
  if (difference === null) return clears ? { is: 'first' } : { is: 'below-threshold' };
  const confirmed = shortage === null && (difference.p === null || difference.p <= 1 - rule.confidence + rounding);
  if (difference.high < 0 && confirmed) return { is: 'loss' };
  const broken = metrics.find(({ guardrail }) => guardrail !== null && !guardrail.held);
  if (broken !== undefined) return { is: 'guardrail-broken', guardrail: broken };
  if (!clears) return { is: 'below-threshold' };
  if (shortage !== null) return { is: 'too-few-rows', shortage };
  if (difference.low <= 0 && difference.high >= 0) return { is: 'may-be-chance' };
  if (!confirmed) return { is: 'unconfirmed' };
  return difference.value >= required - rounding ? { is: 'gain' } : { is: 'small-gain' };
}

function kindOf(finding: Finding): VerdictKind {
  switch (finding.is) {
    case 'first':
      return 'no-champion';
    case 'below-threshold':
      return 'below-threshold';
    case 'loss':
    case 'guardrail-broken':
      return 'worse';
    case 'gain':
      return 'better';
    case 'small-gain':
    case 'may-be-chance':
    case 'unconfirmed':
    case 'too-few-rows':
      return 'inconclusive';
    default:
      return unreachable(finding);
  }
}
