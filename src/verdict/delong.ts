/**
 * Is the difference of two areas under the ROC curve more than chance, when both models scored the same rows?
 * E. DeLong, D. DeLong, D. Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
 * characteristic curves", Biometrics 44, 1988; in O(n log n) by midranks: X. Sun, W. Xu, "Fast implementation of DeLong's
 * algorithm", IEEE Signal Processing Letters 21, 2014.
 */
import { normalQuantile, normalTwoSided } from './distributions.ts';
import { doubledMidranks } from './ranking.ts';

export interface DeLongTest {
  /** Challenger minus champion. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided; null where the variance is zero, so that no test exists. The interval is then the difference alone. */
  readonly p: number | null;
}

/** Both classes must be among the labels; the scores are in the order of the labels. */
export function deLongTest(
  labels: readonly number[],
  challenger: readonly number[],
  champion: readonly number[],
  confidence: number,
): DeLongTest {
  const [ours, theirs] = [placements(labels, challenger), placements(labels, champion)];
  const positives = ours.ofPositives.length;
  const negatives = ours.ofNegatives.length;
  // Differences of whole numbers are exact, so that a variance of zero is seen as zero.
  const positiveGains = ours.ofPositives.map((placement, index) => placement - (theirs.ofPositives[index] ?? 0));
  const negativeGains = ours.ofNegatives.map((placement, index) => placement - (theirs.ofNegatives[index] ?? 0));
  const difference = mean(positiveGains) / (2 * negatives);
  const variance =
    sampleVariance(positiveGains) / positives / (2 * negatives) ** 2 +
    sampleVariance(negativeGains) / negatives / (2 * positives) ** 2;
  if (variance === 0) return { difference, low: difference, high: difference, p: null };
  const deviation = Math.sqrt(variance);
  const reach = normalQuantile(confidence) * deviation;
  return { difference, low: difference - reach, high: difference + reach, p: normalTwoSided(difference / deviation) };
}

interface Placements {
  /** For each positive row, twice the number of negative rows below it (ties half). */
  readonly ofPositives: Float64Array;
  /** For each negative row, minus twice the number of positive rows below it: a rise is a gain, as above. */
  readonly ofNegatives: Float64Array;
}

function placements(labels: readonly number[], scores: readonly number[]): Placements {
  const ranks = doubledMidranks(scores);
  const [positiveRows, negativeRows] = [1, 0].map((label) => [...labels.keys()].filter((row) => labels[row] === label));
  const among = (rows: readonly number[] = []): Float64Array => {
    const own = doubledMidranks(rows.map((row) => scores[row] ?? 0));
    return Float64Array.from(rows, (row, index) => (ranks[row] ?? 0) - (own[index] ?? 0));
  };
  return { ofPositives: among(positiveRows), ofNegatives: among(negativeRows).map((placement) => -placement) };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Zero for a single value, which says nothing about its spread: the caller asks for more rows than that. */
function sampleVariance(values: Float64Array): number {
  if (values.length < 2 || values.every((value) => value === values[0])) return 0;
  const center = mean(values);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1);
}
