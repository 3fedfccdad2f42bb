/**
 * Is one model right more often than the other? Only the rows where one of them errs can tell, and without a difference
 * each of those falls to either side as a coin does. Q. McNemar, Psychometrika 12, 1947, in its exact form.
 */

/** The two-sided p of the exact test on classes cut at a score of 0.5; 1 where both err on the same rows. */
export function mcNemarExact(
  labels: readonly number[],
  challenger: readonly number[],
  champion: readonly number[],
): number {
  let [challengerAlone, championAlone] = [0, 0];
  for (const [row, label] of labels.entries()) {
    const challengerRight = (challenger[row] ?? 0) >= 0.5 === (label === 1);
    const championRight = (champion[row] ?? 0) >= 0.5 === (label === 1);
    if (challengerRight && !championRight) challengerAlone++;
    if (championRight && !challengerRight) championAlone++;
  }
  return fairCoinTwoSided(Math.min(challengerAlone, championAlone), challengerAlone + championAlone);
}

/** Twice the probability of at most `successes` heads in `tosses`, at most 1. */
function fairCoinTwoSided(successes: number, tosses: number): number {
  if (2 * successes >= tosses) return 1;
  // The largest term first and as a logarithm, since 2^-tosses alone would vanish.
  let logTerm = -tosses * Math.LN2;
  for (let k = 1; k <= successes; k++) logTerm += Math.log((tosses - k + 1) / k);
  let [ratio, sum] = [1, 1];
  for (let k = successes; k > 0 && ratio > 1e-18; k--) {
    ratio *= k / (tosses - k + 1);
    sum += ratio;
  }
  return Math.min(1, 2 * Math.exp(logTerm) * sum);
}
