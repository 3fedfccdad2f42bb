/** Logistic regression, without a package: the file of a model is JSON that anybody can read. */
import type { Row } from './features.mts';

export interface Model {
  readonly bias: number;
  readonly features: readonly Feature[];
}

interface Feature {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
  /** Of the value in standard deviations from the mean. */
  readonly weight: number;
}

const rounds = 400;
const rate = 0.5;

/** Gradient descent over all rows at once, from zero: the same rows give the same model. */
export function train(rows: readonly Row[], chosen: readonly string[]): Model {
  const scales = chosen.map((name) => scaleOf(name, rows));
  const table = rows.map((row) => scales.map((scale) => scaled(row, scale)));
  const weights = chosen.map(() => 0);
  let bias = 0;
  for (let round = 0; round < rounds; round += 1) {
    const slopes = chosen.map(() => 0);
    let slope = 0;
    for (const [index, values] of table.entries()) {
      const error = sigmoid(sumOf(bias, weights, values)) - (rows[index]?.churned ?? 0);
      slope += error;
      for (const [place, value] of values.entries()) slopes[place] = (slopes[place] ?? 0) + error * value;
    }
    bias -= (rate * slope) / rows.length;
    for (const [place, total] of slopes.entries())
      weights[place] = (weights[place] ?? 0) - (rate * total) / rows.length;
  }
  return { bias, features: scales.map((scale, place) => ({ ...scale, weight: weights[place] ?? 0 })) };
}

/** The probability that each of them leaves. */
export function score(model: Model, rows: readonly Row[]): readonly number[] {
  const weights = model.features.map(({ weight }) => weight);
  return rows.map((row) =>
    sigmoid(
      sumOf(
        model.bias,
        weights,
        model.features.map((feature) => scaled(row, feature)),
      ),
    ),
  );
}

type Scale = Pick<Feature, 'name' | 'mean' | 'deviation'>;

function scaleOf(name: string, rows: readonly Row[]): Scale {
  const values = rows.map((row) => valueOf(row, name));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { name, mean, deviation: Math.sqrt(variance) || 1 };
}

function scaled(row: Row, { name, mean, deviation }: Scale): number {
  return (valueOf(row, name) - mean) / deviation;
}

function valueOf({ values }: Row, name: string): number {
  const value = values[name];
  if (value === undefined)
    throw new Error(`the model needs the feature "${name}", which training/features.mts has not`);
  return value;
}

function sumOf(bias: number, weights: readonly number[], values: readonly number[]): number {
  return values.reduce((sum, value, place) => sum + value * (weights[place] ?? 0), bias);
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
