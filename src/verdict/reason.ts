/** The verdict's one sentence, with the numbers that decided it. */
import { unreachable } from '../std/unreachable.ts';
import { metricFacts } from './metrics.ts';
import type { MetricComparison, Verdict, VerdictRule } from './verdict.ts';

/** Why the verdict is what it is: finer than its kind. */
export type Finding =
  | { readonly is: 'first' | 'below-threshold' | 'loss' | 'gain' | 'small-gain' | 'may-be-chance' | 'unconfirmed' }
  | { readonly is: 'guardrail-broken'; readonly guardrail: MetricComparison }
  | { readonly is: 'too-few-rows'; readonly shortage: string };

interface Numbers {
  readonly rule: VerdictRule;
  readonly metrics: readonly MetricComparison[];
  readonly difference: Verdict['difference'];
  readonly required: number;
}

/** One sentence that stands alone in a report. */
export function explain(finding: Finding, numbers: Numbers): string {
  const sentence = `${describe(numbers)}${conclude(finding, numbers)}.`;
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function describe({ rule, metrics, difference, required }: Numbers): string {
  const { title, greaterIsBetter } = metricFacts[rule.metric];
  const compared = metrics.find(({ metric }) => metric === rule.metric);
  const [challenger, champion] = [compared?.challenger ?? Number.NaN, compared?.champion ?? Number.NaN];
  if (difference === null)
    return `${title} is ${write(challenger, decimalsFor(challenger, rule.threshold ?? challenger))}`;
  const { value, low, high, confidence, p } = difference;
  const decimals = decimalsFor(value, required, high - low, difference.value - required);
  const [before, after] = [write(champion, decimals), write(challenger, decimals)];
  const moved =
    before === after ? `stayed at ${after}` : `${challenger > champion ? 'rose' : 'fell'} from ${before} to ${after}`;
  const amount = `${greaterIsBetter ? '' : 'gain '}${writeSigned(value, decimals)}`;
  const interval = `${writePercent(confidence)} interval ${writeSigned(low, decimals)} to ${writeSigned(high, decimals)}`;
  return `${title} ${moved} (${amount}, ${interval}${p === null ? '' : `, ${writeP(p)}`})`;
}

function conclude(finding: Finding, { rule, difference, required, metrics }: Numbers): string {
  const needed = `the required ${writeSigned(required, decimalsFor(required, (difference?.value ?? required) - required))}`;
  switch (finding.is) {
    case 'first':
      return `${rule.threshold === null ? '' : `, which meets ${thresholdOf(rule)}`}; there is no champion yet`;
    case 'below-threshold': {
      const beside = metrics.find(({ metric }) => metric === rule.metric)?.champion ?? null;
      return `, which misses ${thresholdOf(rule)}${beside === null ? '; there is no champion yet' : ''}`;
    }
    case 'loss':
      return ': the challenger is worse than the champion';
    case 'gain':
      return required === 0 ? '' : `, ${(difference?.value ?? 0) > required + 1e-12 ? 'above' : 'equal to'} ${needed}`;
    case 'small-gain':
      return `: a real gain, but below ${needed}`;
    case 'may-be-chance':
      return difference !== null && difference.low === 0 && difference.high === 0
        ? ': the two models do not differ on these rows'
        : ': the interval holds zero, so the difference may be chance';
    case 'unconfirmed':
      return `: the exact test does not confirm it at ${writePercent(rule.confidence)}`;
    case 'too-few-rows':
      return `, but ${finding.shortage} to tell two models apart at ${writePercent(rule.confidence)}`;
    case 'guardrail-broken':
      return `, but ${describeLoss(finding.guardrail)}`;
    default:
      return unreachable(finding);
  }
}

function thresholdOf({ metric, threshold }: VerdictRule): string {
  return `the threshold of ${metricFacts[metric].greaterIsBetter ? 'at least' : 'at most'} ${threshold}`;
}

function describeLoss({ metric, challenger, champion, guardrail, greaterIsBetter }: MetricComparison): string {
  const [after, before, most] = [challenger ?? Number.NaN, champion ?? Number.NaN, guardrail?.maxLoss ?? 0];
  const loss = Math.abs(after - before);
  const decimals = decimalsFor(loss, most, loss - most);
  const moved = `${greaterIsBetter ? 'fell' : 'rose'} from ${write(before, decimals)} to ${write(after, decimals)}`;
  return `${metricFacts[metric].title} ${moved}, where at most ${write(most, decimals)} may be lost`;
}

const [decimalsMin, decimalsMax] = [3, 8];

/** So many decimals that each of the numbers shows at least one digit: three at least, eight at most. */
function decimalsFor(...values: readonly number[]): number {
  const places = values.map((value) => (Math.abs(value) < 1e-12 ? 0 : Math.ceil(-Math.log10(Math.abs(value)))));
  return Math.min(decimalsMax, Math.max(decimalsMin, ...places));
}

function write(value: number, decimals: number): string {
  // Minus zero is a zero.
  return (Math.round(value * 10 ** decimals) === 0 ? 0 : value).toFixed(decimals);
}

function writeSigned(value: number, decimals: number): string {
  const text = write(value, decimals);
  return text.startsWith('-') ? text : `+${text}`;
}

function writePercent(share: number): string {
  return `${Number((share * 100).toFixed(4))} %`;
}

function writeP(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}
