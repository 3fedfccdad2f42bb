/** Medians, and a line of JSON for each figure. */
export interface BenchOptions {
  readonly repetitions: number;
  /** Steps in a row. */
  readonly chain: number;
  /** Steps side by side. */
  readonly fan: number;
  /** Steps that wait, over ten runs, how often each looks, and for how long it is watched. */
  readonly waits: number;
  readonly waitInterval: string;
  readonly waitedMs: number;
}

export function say(figure: Readonly<Record<string, string | number | boolean>>): void {
  process.stdout.write(`${JSON.stringify(figure)}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
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
