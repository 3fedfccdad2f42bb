/** Writes evenings before the screen: invented, and the same each time. `node data/make-evenings.mts > data/evenings.csv` */
const rows = 4000;
const random = randomFrom(20_261_126);

console.log('evening,start_hour,minutes,match,finished_before,finished');
for (let evening = 1; evening <= rows; evening += 1) {
  const start = round(17 + 7 * random(), 1);
  const minutes = Math.floor(60 + 130 * random());
  const match = round(random(), 2);
  const before = round(random(), 2);
  const end = start + minutes / 60;
  // Who likes a film stays up for it; who is indifferent goes to bed, and who is bored goes at once.
  const likes = 0.7 * match + 0.3 * before;
  const stays = likes > 0.72 || (likes > 0.4 && end < 24) || (end < 20.5 && minutes < 90);
  const surprising = random() < 0.03;
  console.log([evening, start, minutes, match, before, stays === surprising ? 0 : 1].join(','));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Mulberry32: small, fast, the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
