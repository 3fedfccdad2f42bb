/** The word that somebody most likely meant. */

/** The one of `candidates` nearest to `word`, or null where none is near enough to be worth a suggestion. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance && distance <= farthest(word, candidate)) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** One letter in three; of words that begin alike one in two: `retry` is meant to be `retries`. */
function farthest(word: string, candidate: string): number {
  const alike = word.length > 4 && word.slice(0, 4).toLowerCase() === candidate.slice(0, 4).toLowerCase();
  return alike ? Math.ceil(word.length / 2) : Math.max(1, Math.floor(word.length / 3));
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), row by row. */
function editDistance(one: string, other: string): number {
  if (Math.max(one.length, other.length) > 64) return one === other ? 0 : 64;
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const replaced = one[row - 1] === other[column - 1] ? 0 : 1;
      let cost = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + replaced);
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    [beforeLast, last] = [last, current];
  }
  return last[other.length] ?? 0;
}
