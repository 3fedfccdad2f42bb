/**
 * How much would the difference of two models vary if other rows had been drawn? Rows are drawn again with replacement,
 * both models on the same rows (paired), and the middle of the replicates is the interval: B. Efron, R. Tibshirani, "An
 * Introduction to the Bootstrap", 1993, chapter 13.
 *
 * The percentile interval, not BCa: a paired difference has little bias and skew to correct, BCa's acceleration needs the
 * metric n times over (minutes on 100 000 rows), and the percentiles of the difference follow the metric whatever scale it
 * has. What is lost is coverage on a handful of rows, where the verdict refuses to judge anyway (`decide.ts`).
 */
import { seededGenerator } from './generator.ts';
import type { Statistic, Weights } from './metrics.ts';

const resamplesDefault = 1000;
/** Any number would do; a fixed one makes the same rows give the same verdict everywhere. */
const seedDefault = 1993;

export interface BootstrapRule {
  readonly confidence: number;
  readonly resamples?: number;
  readonly seed?: number;
}

/** The interval of `difference` over resamples of `rows` rows. A replicate where it is not defined counts as zero. */
export function pairedBootstrap(
  rows: number,
  difference: Statistic,
  { confidence, resamples = resamplesDefault, seed = seedDefault }: BootstrapRule,
): { readonly low: number; readonly high: number } {
  const generator = seededGenerator(seed);
  const weights: Weights = new Uint16Array(rows);
  const replicates = new Float64Array(resamples);
  for (let sample = 0; sample < resamples; sample++) {
    weights.fill(0);
    for (let draw = 0; draw < rows; draw++) {
      const row = generator.below(rows);
      weights[row] = (weights[row] ?? 0) + 1;
    }
    const replicate = difference(weights);
    replicates[sample] = Number.isNaN(replicate) ? 0 : replicate;
  }
  replicates.sort();
  return { low: quantile(replicates, (1 - confidence) / 2), high: quantile(replicates, (1 + confidence) / 2) };
}

/** Linear between the two neighbours in the sorted values. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? 0;
  return below + (above - below) * (place - Math.floor(place));
}
