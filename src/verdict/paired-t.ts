/** Student's t-test on paired differences ("The probable error of a mean", Biometrika 6, 1908). */
import { studentTwoSided } from './distributions.ts';

/** The two-sided p that the absolute errors of both models have the same mean; null where all differences are equal. */
export function pairedTOfAbsoluteErrors(
  labels: readonly number[],
  challenger: readonly number[],
  champion: readonly number[],
): number | null {
  const differences = labels.map(
    (label, row) => Math.abs((challenger[row] ?? 0) - label) - Math.abs((champion[row] ?? 0) - label),
  );
  if (differences.every((difference) => difference === differences[0])) return null;
  const rows = differences.length;
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / rows;
  const squares = differences.reduce((sum, difference) => sum + (difference - mean) ** 2, 0);
  return studentTwoSided(mean / Math.sqrt(squares / (rows - 1) / rows), rows - 1);
}
