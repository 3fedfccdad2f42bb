/** The peers one after the other. One that cannot be installed or fails says so in a figure, and the others go on. */
import type { BenchOptions } from '../measure.ts';
import { round, type Sizes } from '../measure.ts';
import type { WorkloadName } from '../options.ts';
import { openGround, type Ground } from '../ground.ts';
import { idleUsage } from '../processes.ts';
import { nameOf, type Workload } from '../subject.ts';
import { unreachable } from '../../src/std/unreachable.ts';
import { measureSteps, measureTriggers } from '../workloads.ts';
import { installPeer } from './install.ts';
import type { Peer, PeerWorkload, Way } from './peer.ts';
import { peers } from './peers.ts';

type Only = ReadonlySet<WorkloadName>;

export async function benchPeers(options: BenchOptions, names: ReadonlySet<string>, only: Only): Promise<void> {
  for (const peer of peers.filter(({ name }) => names.has(name))) {
    const versions = Object.entries(peer.packages).map(([name, version]) => `${name} ${version}`);
    options.say({ workload: 'peers', peer: peer.name, versions: versions.join(', ') });
    try {
      const installed = await installPeer(peer);
      for (const way of peer.ways) await benchWay(options, peer, way, installed, only);
    } catch (error) {
      options.say({ workload: 'peers', peer: peer.name, error: lastLines(String(error)) });
    }
  }
}

async function benchWay(options: BenchOptions, peer: Peer, way: Way, installed: string, only: Only): Promise<void> {
  const ground = openGround();
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => limit.reject(new Error(`not done after ${way.timeLimitMs / 1000} s`)),
    way.timeLimitMs,
  );
  try {
    await Promise.race([measureWay(options, peer, way, ground, installed, only), limit.promise]);
  } catch (error) {
    options.say({ workload: 'peers', peer: peer.name, how: way.how, error: lastLines(String(error)) });
  } finally {
    clearTimeout(timer);
    await ground.close();
  }
}

async function measureWay(
  { say, sizes, repetitions }: BenchOptions,
  { name }: Peer,
  way: Way,
  ground: Ground,
  installed: string,
  only: Only,
): Promise<void> {
  const who = { peer: name, how: way.how };
  const workloads = way.workloads
    .map((each) => withinSizes(each, sizes))
    .filter(({ workload }) => only.has(workload.shape));
  const all: readonly Workload[] = [...workloads.map(({ workload }) => workload), { shape: 'trigger' }];
  const subject = await way.open(ground, installed, all);
  if (only.has('idle')) {
    const { rssMb, pssMb, cpuPercent } = await idleUsage(subject.roots, sizes.idleMs);
    say({ workload: 'idle', ...who, rss_mb: rssMb, pss_mb: pssMb, core_percent: round(cpuPercent) });
  }
  if (only.has('trigger')) say(await measureTriggers(who, subject, Math.min(way.triggers, sizes.triggers)));
  for (const { as, workload } of workloads) {
    const figure = await measureSteps(who, subject, workload, Math.min(way.repetitions, repetitions));
    say(as === figure.workload ? figure : { ...figure, workload: as, note: `${nameOf(workload)} only` });
  }
}

/** A smoke run's workload is small for everybody, and compared as what it is. */
function withinSizes({ as, workload }: PeerWorkload, sizes: Sizes): PeerWorkload {
  const small = smaller(workload, sizes);
  return { as: nameOf(small) === nameOf(workload) ? as : nameOf(small), workload: small };
}

function smaller(workload: Workload, { chain, fans, burst }: Sizes): Workload {
  switch (workload.shape) {
    case 'chain':
      return { shape: 'chain', steps: Math.min(workload.steps, chain) };
    case 'fan':
      return { shape: 'fan', steps: Math.min(workload.steps, Math.max(...fans)) };
    case 'burst':
      return {
        shape: 'burst',
        runs: Math.min(workload.runs, burst.runs),
        steps: Math.min(workload.steps, burst.steps),
      };
    case 'trigger':
      return workload;
    default:
      return unreachable(workload);
  }
}

function lastLines(text: string): string {
  return text.trim().slice(-1000);
}
