/** Medians and percentiles, and what the workloads are told. */
import type { Figure } from './figures.ts';

export interface BenchOptions {
  /** Prints a figure as a line and keeps it for the document. */
  readonly say: (figure: Figure) => void;
  /** Everything once and small; PostgreSQL for chains only. */
  readonly smoke: boolean;
  readonly repetitions: number;
  readonly sizes: Sizes;
}

/** How large the workloads are. */
export interface Sizes {
  /** Steps in a row. */
  readonly chain: number;
  /** Steps side by side, between a first and a last one. */
  readonly fans: readonly number[];
  /** Runs at once, and the steps in a row of each. */
  readonly burst: { readonly runs: number; readonly steps: number };
  /** Runs of one step, one after the other. */
  readonly triggers: number;
  /** Steps of one run, ever more. */
  readonly growth: readonly number[];
  readonly idleMs: number;
  /** Steps that wait, over ten runs, how often each looks, and for how long it is watched. */
  readonly waits: number;
  readonly waitInterval: string;
  readonly waitedMs: number;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Between the two values that stand next to `share` (0 to 1) of the way through the sorted ones, in proportion. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
  return below + (above - below) * (place - Math.floor(place));
}

/** Median milliseconds of `measured`, called `repetitions` times, one after the other. */
export async function medianMs(repetitions: number, measured: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition += 1) times.push(await measured());
  return median(times);
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

export const largeSizes: Sizes = {
  chain: 40,
  fans: [200, 1000, 10_000],
  burst: { runs: 50, steps: 5 },
  triggers: 20,
  growth: [100, 1000, 10_000],
  idleMs: 10_000,
  waits: 10_000,
  waitInterval: '1m',
  waitedMs: 60_000,
};

export const smokeSizes: Sizes = {
  chain: 5,
  fans: [10],
  burst: { runs: 3, steps: 2 },
  triggers: 3,
  growth: [10, 50],
  idleMs: 1000,
  waits: 200,
  waitInterval: '2s',
  waitedMs: 2000,
};
