/** Rows in the order of their scores, sorted once and then read under any weights. */

export interface Ranking {
  /** Row numbers, the lowest score first. */
  readonly order: Uint32Array;
  /** Where each group of equal scores ends in `order` (exclusive), in rising order. */
  readonly groupEnds: Uint32Array;
}

export function rank(scores: readonly number[]): Ranking {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  const groupEnds: number[] = [];
  for (let index = 1; index <= order.length; index++) {
    if (index === order.length || scores[order[index] ?? 0] !== scores[order[index - 1] ?? 0]) groupEnds.push(index);
  }
  return { order, groupEnds: Uint32Array.from(groupEnds) };
}

/** Twice the midrank of each row (1 for the lowest; ties share the middle of their places): whole numbers, so exact. */
export function doubledMidranks(scores: readonly number[]): Float64Array {
  const { order, groupEnds } = rank(scores);
  const ranks = new Float64Array(order.length);
  let start = 0;
  for (const end of groupEnds) {
    for (let index = start; index < end; index++) ranks[order[index] ?? 0] = start + 1 + end;
    start = end;
  }
  return ranks;
}
