/**
 * The few distribution functions that the tests need, exact to about 1e-12 relative, far into the tails too: a p of 1e-40
 * is still a number. Series and continued fractions as in Abramowitz and Stegun (7.1.5, 7.1.14, 26.5.8); the
 * continued fractions are evaluated by Lentz's method.
 */

const iterationsMax = 500;
const precision = 1e-16;
const tiny = 1e-300;

/** The probability that a standard normal variable is at least as far from zero as `z`. */
export function normalTwoSided(z: number): number {
  return complementaryError(Math.abs(z) / Math.SQRT2);
}

/** The z that a standard normal variable stays within with probability `confidence`: 1.96 for 0.95. */
export function normalQuantile(confidence: number): number {
  let [low, high] = [0, 40];
  // Halving an interval of 40 reaches the spacing of doubles within 60 steps.
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (normalTwoSided(middle) > 1 - confidence) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The probability that Student's t with `degrees` of freedom is at least as far from zero as `t`. */
export function studentTwoSided(t: number, degrees: number): number {
  return incompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

/** erfc(x) for x >= 0. */
function complementaryError(x: number): number {
  if (x < 2) {
    let [term, sum] = [x, x];
    for (let k = 1; k < iterationsMax && Math.abs(term) > precision * sum; k++) {
      term *= (2 * x * x) / (2 * k + 1);
      sum += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  // x + (1/2) / (x + (2/2) / (x + (3/2) / (x + ...)))
  const fraction = continuedFraction(x, (k) => ({ numerator: k / 2, denominator: x }));
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

/** The regularised incomplete beta function I_x(a, b). */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  const fraction = continuedFraction(1, (k) => {
    const m = Math.floor(k / 2);
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    return { numerator: k % 2 === 0 ? even : odd, denominator: 1 };
  });
  return front / (a * fraction);
}

/** first + n1 / (d1 + n2 / (d2 + ...)), by Lentz's method. */
function continuedFraction(
  first: number,
  part: (k: number) => { readonly numerator: number; readonly denominator: number },
): number {
  let value = first;
  let [c, d] = [first, 0];
  for (let k = 1; k < iterationsMax; k++) {
    const { numerator, denominator } = part(k);
    d = 1 / (denominator + numerator * d || tiny);
    c = denominator + numerator / c || tiny;
    value *= c * d;
    if (Math.abs(c * d - 1) < precision) break;
  }
  return value;
}

/** Lanczos' approximation with g = 7 and nine terms. */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

function logGamma(x: number): number {
  let sum: number = lanczos[0];
  for (const [index, coefficient] of lanczos.entries()) if (index > 0) sum += coefficient / (x - 1 + index);
  const base = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(sum);
}
