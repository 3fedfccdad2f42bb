/**
 * A source of numbers that is the same everywhere: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom
 * number generators", ACM TOMS 47, 2021), its state filled by the 32-bit finaliser of MurmurHash3. Good for statistics,
 * not for secrets.
 */
export interface Generator {
  /** A whole number from 0 to `bound` - 1; `bound` at most 2^32. The bias is below `bound` / 2^32. */
  below(bound: number): number;
}

/** The generator whose numbers follow from `seed` alone. */
export function seededGenerator(seed: number): Generator {
  // Four words of its own for each seed: neighbouring seeds that shared some would give related numbers.
  const first = 4 * seed;
  return generatorFrom([mix(first), mix(first + 1), mix(first + 2), mix(first + 3)]);
}

/** The generator in a given state (four 32-bit words, not all zero), as the authors' reference code begins. */
export function generatorFrom([first, second, third, fourth]: readonly [number, number, number, number]): Generator {
  let [s0, s1, s2, s3] = [first | 0, second | 0, third | 0, fourth | 0];
  return {
    below(bound) {
      const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
      const shifted = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= shifted;
      s3 = rotateLeft(s3, 11);
      return Math.floor((result / 0x1_0000_0000) * bound);
    },
  };
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function mix(seed: number): number {
  let word = Math.imul(seed + 1, 0x9e3779b9);
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
