/** A workload done by a subject, as a figure: the same for Contender and for every peer. */
import type { Figure } from './figures.ts';
import { median, percentile, round, type Sizes } from './measure.ts';
import { usageOf } from './processes.ts';
import { nameOf, stepsOf, type Subject, type Workload } from './subject.ts';

export interface Who {
  readonly peer: string;
  /** What stands beside its name wherever it is compared: how it carries steps out, where it keeps what happened. */
  readonly how: string;
}

/** From here on a workload is done once, without one to warm up. */
const largeSteps = 10_000;

export function workloadsOf({ chain, fans, burst }: Sizes): readonly Workload[] {
  return [
    { shape: 'chain', steps: chain },
    ...fans.map((steps) => ({ shape: 'fan', steps }) as const),
    { shape: 'burst', ...burst },
  ];
}

/** Of small workloads: a system that has just begun takes longer, whose code is not yet what it will be. */
const warmUps = { stepsMax: 1000, count: 5 } as const;

/** Of large ones, which take seconds each. */
const largeRepetitionsMax = 3;

/** Medians of `repetitions`, after some that are not counted. A single one is not warmed up. */
export async function measureSteps(
  who: Who,
  subject: Subject,
  workload: Workload,
  repetitions: number,
): Promise<Figure> {
  const steps = stepsOf(workload);
  const times = steps < largeSteps ? repetitions : Math.min(repetitions, largeRepetitionsMax);
  const firstMs = times > 1 ? await subject.run(workload) : null;
  const further = times > 1 && steps < warmUps.stepsMax ? warmUps.count - 1 : 0;
  for (let warmUp = 0; warmUp < further; warmUp += 1) await subject.run(workload);
  const makespans: number[] = [];
  const cpu: number[] = [];
  let peakRss = 0;
  for (let repetition = 0; repetition < times; repetition += 1) {
    const { result, usage } = await usageOf(subject.roots, () => subject.run(workload));
    makespans.push(result);
    cpu.push(usage.cpuSeconds);
    peakRss = Math.max(peakRss, usage.peakRssMb);
  }
  return {
    workload: nameOf(workload),
    ...who,
    steps,
    repetitions: times,
    ...(firstMs === null ? {} : { first_ms: round(firstMs) }),
    makespan_ms: round(median(makespans)),
    per_step_ms: round(median(makespans) / steps),
    cpu_s: round(median(cpu)),
    peak_rss_mb: peakRss,
  };
}

export async function measureTriggers(who: Who, subject: Subject, count: number): Promise<Figure> {
  await subject.run({ shape: 'trigger' });
  const times: number[] = [];
  for (let trigger = 0; trigger < count; trigger += 1) times.push(await subject.run({ shape: 'trigger' }));
  return {
    workload: 'trigger',
    ...who,
    triggers: count,
    p50_ms: round(median(times)),
    p95_ms: round(percentile(times, 0.95)),
  };
}
