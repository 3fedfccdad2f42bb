/** Logistic regression, without a package: the file of the model is JSON that anybody can read. */
import type { Feature, Row } from './features.ts';

export interface Settings {
  readonly learningRate: number;
  /** How hard large weights are pulled towards 0. */
  readonly l2: number;
}

/** Knows its own features, so that a later commit that trains with others can still ask it. */
export interface Model {
  readonly features: readonly string[];
  readonly settings: Settings;
  readonly bias: number;
  /** `size=Large` → weight. */
  readonly weights: { readonly [word: string]: number };
}

const epochs = 40;

/** Stochastic gradient descent; rows are shuffled from a fixed seed, so the same commit gives the same model. */
export function train(rows: readonly Row[], features: readonly Feature[], settings: Settings): Model {
  const known = new Map<string, number>();
  const examples = rows.map((row) => ({
    label: row.damaged ? 1 : 0,
    words: wordsOf(row, features).map((word) => {
      const index = known.get(word) ?? known.size;
      known.set(word, index);
      return index;
    }),
  }));
  const share = rows.filter((row) => row.damaged).length / rows.length;
  const weights = new Float64Array(known.size);
  const weightOf = (index: number): number => weights[index] ?? 0;
  let bias = Math.log(share / (1 - share));
  const random = randomFrom(7);
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const rate = settings.learningRate / (1 + epoch / 5);
    shuffle(examples, random);
    for (const { label, words } of examples) {
      let sum = bias;
      for (const word of words) sum += weightOf(word);
      const error = sigmoid(sum) - label;
      bias -= rate * error;
      for (const word of words) weights[word] = weightOf(word) - rate * (error + settings.l2 * weightOf(word));
    }
  }
  return {
    features,
    settings,
    bias,
    weights: Object.fromEntries([...known].map(([word, index]) => [word, weightOf(index)])),
  };
}

/** The probability of damage, row by row. A word that the model never saw weighs nothing. */
export function score(model: Model, rows: readonly Row[]): readonly number[] {
  return rows.map((row) =>
    sigmoid(wordsOf(row, model.features).reduce((sum, word) => sum + (model.weights[word] ?? 0), model.bias)),
  );
}

function wordsOf(row: Row, features: readonly string[]): readonly string[] {
  return features.map((feature) => {
    const word = row.words[feature];
    if (word === undefined)
      throw new Error(`the model needs the feature "${feature}", which training/features.ts has not`);
    return `${feature}=${word}`;
  });
}

/** The share of pairs of a damaged and an undamaged aircraft that the scores put into the right order; a tie is half. */
export function auc(rows: readonly Row[], scores: readonly number[]): number {
  const sorted = rows
    .map((row, index) => ({ ...row, score: scores[index] ?? 0 }))
    .sort((one, other) => one.score - other.score);
  let ranks = 0;
  for (let start = 0; start < sorted.length;) {
    let end = start;
    while (end < sorted.length && sorted[end]?.score === sorted[start]?.score) end += 1;
    const damaged = sorted.slice(start, end).filter((row) => row.damaged).length;
    ranks += damaged * ((start + 1 + end) / 2);
    start = end;
  }
  const positives = rows.filter((row) => row.damaged).length;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (rows.length - positives));
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** Fisher and Yates. */
function shuffle(items: unknown[], random: () => number): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [one, two] = [items[last], items[other]];
    if (one === undefined || two === undefined) continue;
    items[last] = two;
    items[other] = one;
  }
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
