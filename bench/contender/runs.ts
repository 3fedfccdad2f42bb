/**
 * Chains, fans and bursts of steps that do nothing, through the whole system, beside what a process a step takes without
 * one. Each workload has a system of its own, so that memory is what that workload takes.
 */
import { postgresMissing } from '../../test/support/postgres.ts';
import { openGround } from '../ground.ts';
import { makeMs, spawnLoopMs } from '../limits.ts';
import { round, type BenchOptions } from '../measure.ts';
import { peakRssMb } from '../processes.ts';
import { nameOf, stepsOf, type Workload } from '../subject.ts';
import { measureSteps, measureTriggers, type Who } from '../workloads.ts';
import { openContender, slots, type ContenderSubject, type Store } from './subject.ts';

/** Commands that would take longer are not run. */
const commandsMaxMs = 60_000;
/** A run is linear whose steps take at most so much more in the largest than in the one before. */
const linearRatioMax = 1.3;
const growthRssTargetMb = 250;

/** Milliseconds a function step, by shape. */
const targets = { chain: 0.8, fan: 0.3, burst: 0.4, trigger: 5 } as const;

export async function benchSteps(options: BenchOptions, workload: Workload): Promise<void> {
  const { say, repetitions } = options;
  const steps = stepsOf(workload);
  const make = await makeMs(workload, repetitions);
  const spawned = await spawnLoopMs(workload, repetitions);
  for (const [peer, ms] of [
    [`make -j${slots}`, make],
    ['bare spawn loop', spawned],
  ] as const) {
    const who = { workload: nameOf(workload), peer, how: 'a process a step, nothing kept' };
    if (ms === null) say({ ...who, skipped: 'no make on the PATH: install one (Debian: apt-get install make)' });
    else say({ ...who, steps, repetitions, makespan_ms: round(ms), per_step_ms: round(ms / steps) });
  }
  for (const store of storesFor(options, workload)) {
    await withContender(store, async (contender) => {
      const who = contenderAs('functions', store);
      const figure = await measureSteps(who, contender.of('function'), workload, repetitions);
      say({
        ...figure,
        server_peak_rss_mb: peakRssMb(contender.serverPid),
        target_per_step_ms: targets[workload.shape],
      });
    });
    await withContender(store, async (contender) => {
      const who = contenderAs('commands', store);
      const subject = contender.of('command');
      if (steps > 5000 && (await perStepMs(subject.run({ shape: 'fan', steps: 200 }), 202)) * steps > commandsMaxMs)
        return say({ workload: nameOf(workload), ...who, steps, note: 'left out: it would take more than a minute' });
      const figure = await measureSteps(who, subject, workload, repetitions);
      const times = make === null ? {} : { times_make: round(Number(figure['makespan_ms']) / make) };
      say({ ...figure, server_peak_rss_mb: peakRssMb(contender.serverPid), ...times, target_times_make: 1.5 });
    });
  }
}

export async function benchTriggers(options: BenchOptions): Promise<void> {
  const { say, sizes } = options;
  for (const store of storesFor(options, { shape: 'trigger' }))
    await withContender(store, async (contender) => {
      const figure = await measureTriggers(contenderAs('functions', store), contender.of('function'), sizes.triggers);
      say({ ...figure, target_p50_ms: targets.trigger });
    });
}

/** One run after the other of ever more steps: what a step takes there, and the server's memory. */
export async function benchGrowth(options: BenchOptions): Promise<void> {
  const { say, sizes, repetitions } = options;
  for (const store of storesFor(options, { shape: 'fan', steps: Math.max(...sizes.growth) })) {
    const taken: number[] = [];
    for (const width of sizes.growth)
      await withContender(store, async (contender) => {
        const subject = contender.of('function');
        await subject.run({ shape: 'fan', steps: 50 });
        const workload = { shape: 'fan', steps: width } as const;
        const figure = await measureSteps(contenderAs('functions', store), subject, workload, repetitions);
        taken.push(Number(figure['per_step_ms']));
        const peak = {
          server_peak_rss_mb: peakRssMb(contender.serverPid),
          target_server_peak_rss_mb: growthRssTargetMb,
        };
        say({ ...figure, workload: 'growth', ...peak });
      });
    const [before = Number.NaN, largest = Number.NaN] = taken.slice(-2);
    const ratio = round(largest / before);
    const who = contenderAs('functions', store);
    say({
      workload: 'growth-linear',
      ...who,
      steps: sizes.growth.join(', '),
      ratio,
      target_ratio: linearRatioMax,
    });
  }
}

/** Says what is left out, and why. */
function storesFor({ smoke, say }: BenchOptions, workload: Workload): readonly Store[] {
  if (smoke && workload.shape !== 'chain') return ['SQLite'];
  const skipped = postgresMissing();
  if (skipped === false) return ['SQLite', 'PostgreSQL'];
  say({ workload: nameOf(workload), peer: 'contender', how: 'PostgreSQL', skipped });
  return ['SQLite'];
}

function contenderAs(steps: 'functions' | 'commands', store: Store): Who {
  return { peer: 'contender', how: `${steps}, ${store}` };
}

async function perStepMs(makespan: Promise<number>, steps: number): Promise<number> {
  return (await makespan) / steps;
}

async function withContender(store: Store, use: (contender: ContenderSubject) => Promise<void>): Promise<void> {
  const ground = openGround();
  try {
    await use(await openContender(ground, store));
  } finally {
    await ground.close();
  }
}
