/**
 * A set of rows by their hash: 106 bits, so that two different rows practically never meet, in 32 bytes a row or less
 * (half-filled tables of numbers) whatever the length of the rows.
 */
export interface RowSet {
  /** False where it was there before. */
  add(row: string): boolean;
  readonly size: number;
}

export function createRowSet(): RowSet {
  let capacity = 1024;
  let [highs, lows] = [new Float64Array(capacity), new Float64Array(capacity)];
  let size = 0;

  const place = (high: number, low: number): number => {
    let at = low % capacity;
    while (highs[at] !== 0 && !(highs[at] === high && lows[at] === low)) at = (at + 1) % capacity;
    return at;
  };
  const grow = (): void => {
    const before = { highs, lows };
    capacity *= 2;
    [highs, lows] = [new Float64Array(capacity), new Float64Array(capacity)];
    for (const [index, high] of before.highs.entries()) {
      if (high === 0) continue;
      const low = before.lows[index] ?? 0;
      const at = place(high, low);
      highs[at] = high;
      lows[at] = low;
    }
  };
  return {
    get size() {
      return size;
    },
    add(row) {
      // Zero means an empty place.
      const [high, low] = [hash53(row, 0x9e3779b1) + 1, hash53(row, 0x85ebca77)];
      const at = place(high, low);
      if (highs[at] !== 0) return false;
      highs[at] = high;
      lows[at] = low;
      size += 1;
      if (size * 2 > capacity) grow();
      return true;
    },
  };
}

/** Two 32-bit multiplicative hashes mixed into the 53 bits that a number holds. */
function hash53(text: string, seed: number): number {
  let [one, two] = [0xdeadbeef ^ seed, 0x41c6ce57 ^ seed];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 2654435761);
    two = Math.imul(two ^ code, 1597334677);
  }
  one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(two ^ (two >>> 13), 3266489909);
  two = Math.imul(two ^ (two >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
  return 4294967296 * (2097151 & two) + (one >>> 0);
}
