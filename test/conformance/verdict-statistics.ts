/** Pairs of models with the metrics and tests that scikit-learn and SciPy find for them. */
import { z } from 'zod';

import { deLongTest } from '../../src/verdict/delong.ts';
import { mcNemarExact } from '../../src/verdict/mcnemar.ts';
import { metricsOf, type MetricValues } from '../../src/verdict/metrics.ts';
import { pairedTOfAbsoluteErrors } from '../../src/verdict/paired-t.ts';
import type { CaseFailure } from './case.ts';

const metricTolerance = 1e-9;
const testTolerance = 1e-6;

const metrics = z.record(z.string(), z.number().nullable());
const statistic = z.number().nullable();
const rows = {
  case: z.string(),
  labels: z.array(z.number()),
  champion: z.array(z.number()),
  challenger: z.array(z.number()),
};
const statisticsCase = z.discriminatedUnion('task', [
  z.object({
    task: z.literal('binary'),
    ...rows,
    expect: z.object({
      champion: metrics,
      challenger: metrics,
      delong: z.object({ p: statistic, low: statistic, high: statistic }),
      mcnemar_exact_p: statistic,
    }),
  }),
  z.object({
    task: z.literal('regression'),
    ...rows,
    expect: z.object({ champion: metrics, challenger: metrics, paired_t_abs_error_p: statistic }),
  }),
]);
type StatisticsCase = z.infer<typeof statisticsCase>;

type Numbers = Readonly<Record<string, number | null>>;

/** Compares every number of the case; what is shown on failure are only those that differ. */
export function runCase(value: unknown): CaseFailure | null {
  const example = statisticsCase.parse(value);
  const { task, labels, champion, challenger } = example;
  const expectedMetrics = {
    ...named('champion', example.expect.champion),
    ...named('challenger', example.expect.challenger),
  };
  const gotMetrics = {
    ...named('champion', metricsOf(task, labels, champion)),
    ...named('challenger', metricsOf(task, labels, challenger)),
  };
  const differing = [
    ...differences(expectedMetrics, gotMetrics, metricTolerance),
    ...differences(expectedTests(example), gotTests(example), testTolerance),
  ];
  if (differing.length === 0) return null;
  const [expected, got] = [1, 2].map((side) => Object.fromEntries(differing.map((entry) => [entry[0], entry[side]])));
  return { id: example.case, expected, got };
}

function named(model: string, values: MetricValues | Numbers): Numbers {
  return Object.fromEntries(Object.entries(values).map(([metric, value]) => [`${model} ${metric}`, value ?? null]));
}

function expectedTests(example: StatisticsCase): Numbers {
  if (example.task === 'regression') return { 'paired t p': example.expect.paired_t_abs_error_p };
  const { p, low, high } = example.expect.delong;
  return { 'DeLong p': p, 'DeLong low': low, 'DeLong high': high, 'McNemar p': example.expect.mcnemar_exact_p };
}

function gotTests({ task, labels, champion, challenger }: StatisticsCase): Numbers {
  if (task === 'regression') return { 'paired t p': pairedTOfAbsoluteErrors(labels, challenger, champion) };
  const { p, low, high } = deLongTest(labels, challenger, champion, 0.95);
  // Without a variance there is no test, and the cases give no interval either.
  const interval = p === null ? { low: null, high: null } : { low, high };
  return {
    'DeLong p': p,
    'DeLong low': interval.low,
    'DeLong high': interval.high,
    'McNemar p': mcNemarExact(labels, challenger, champion),
  };
}

function differences(
  expected: Numbers,
  got: Numbers,
  tolerance: number,
): readonly [string, number | null, number | null][] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const ours = got[name] ?? null;
    return isNear(value, ours, tolerance) ? [] : [[name, value, ours] as [string, number | null, number | null]];
  });
}

function isNear(expected: number | null, got: number | null, tolerance: number): boolean {
  if (expected === null || got === null) return expected === got;
  return Math.abs(expected - got) <= tolerance * Math.max(Math.abs(expected), Number.MIN_VALUE);
}
