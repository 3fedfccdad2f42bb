/** A network with one hidden layer, without a package: the file of a model is JSON that anybody can read. */
import type { Row } from './evenings.mts';

export interface Settings {
  /** Units of the hidden layer. */
  readonly units: number;
  readonly learningRate: number;
  readonly epochs: number;
}

export interface Network {
  readonly settings: Settings;
  readonly hidden: readonly Unit[];
  readonly output: Unit;
}

interface Unit {
  bias: number;
  readonly weights: number[];
}

/** Stochastic gradient descent; weights and order come from a fixed seed, so the same rows give the same model. */
export function train(rows: readonly Row[], settings: Settings): Network {
  const random = randomFrom(7);
  const inputs = rows[0]?.values.length ?? 0;
  const unit = (count: number): Unit => ({ bias: 0, weights: Array.from({ length: count }, () => random() - 0.5) });
  const hidden = Array.from({ length: settings.units }, () => unit(inputs));
  const output = unit(settings.units);
  const order = [...rows];
  for (let epoch = 0; epoch < settings.epochs; epoch += 1) {
    const rate = settings.learningRate / (1 + (4 * epoch) / settings.epochs);
    shuffle(order, random);
    for (const { finished, values } of order) {
      const activations = hidden.map((each) => Math.tanh(sumOf(each, values)));
      const error = sigmoid(sumOf(output, activations)) - finished;
      for (const [place, each] of hidden.entries()) {
        const activation = activations[place] ?? 0;
        const slope = error * (output.weights[place] ?? 0) * (1 - activation ** 2);
        learn(each, values, rate * slope);
      }
      learn(output, activations, rate * error);
    }
  }
  return { settings, hidden, output };
}

/** The probability that each of them is watched to its end. */
export function score({ hidden, output }: Network, rows: readonly Row[]): readonly number[] {
  return rows.map(({ values }) =>
    sigmoid(
      sumOf(
        output,
        hidden.map((each) => Math.tanh(sumOf(each, values))),
      ),
    ),
  );
}

export function accuracy(network: Network, rows: readonly Row[]): number {
  const scores = score(network, rows);
  return rows.filter(({ finished }, index) => (scores[index] ?? 0) >= 0.5 === (finished === 1)).length / rows.length;
}

function sumOf({ bias, weights }: Unit, values: readonly number[]): number {
  let sum = bias;
  for (let place = 0; place < values.length; place += 1) sum += (weights[place] ?? 0) * (values[place] ?? 0);
  return sum;
}

function learn(unit: Unit, values: readonly number[], amount: number): void {
  unit.bias -= amount;
  for (let place = 0; place < values.length; place += 1)
    unit.weights[place] = (unit.weights[place] ?? 0) - amount * (values[place] ?? 0);
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** Fisher and Yates. */
function shuffle(items: unknown[], random: () => number): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other], items[last]];
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
