/**
 * Another system as it is measured: what is installed, in exact versions, and how it becomes a subject. A system is
 * measured once for each way of use that is worth comparing; each way has workloads of a size that it can do in minutes.
 */
import type { Ground } from '../ground.ts';
import type { Subject, Workload } from '../subject.ts';

export interface Peer {
  readonly name: string;
  readonly registry: 'npm' | 'PyPI';
  /** Exact versions by the name of the package, the system itself first. */
  readonly packages: Readonly<Record<string, string>>;
  readonly ways: readonly Way[];
}

export interface Way {
  /** How steps are carried out, where what happened is kept. */
  readonly how: string;
  readonly workloads: readonly PeerWorkload[];
  readonly triggers: number;
  readonly repetitions: number;
  /** From the start of its processes to its last figure. */
  readonly timeLimitMs: number;
  /** `installed`: the folder with its packages. All processes are started on the ground. */
  readonly open: (ground: Ground, installed: string, workloads: readonly Workload[]) => Promise<Subject>;
}

export interface PeerWorkload {
  /** The workload that it is compared in, where it does a smaller one. */
  readonly as: string;
  readonly workload: Workload;
}

export const minuteMs = 60_000;

export const wholeWorkloads: readonly PeerWorkload[] = [
  { as: 'chain-40', workload: { shape: 'chain', steps: 40 } },
  { as: 'fan-200', workload: { shape: 'fan', steps: 200 } },
  { as: 'fan-1000', workload: { shape: 'fan', steps: 1000 } },
  { as: 'burst-50x5', workload: { shape: 'burst', runs: 50, steps: 5 } },
];

/** For those to whom a thousand steps side by side take minutes. */
export const middleWorkloads: readonly PeerWorkload[] = [
  { as: 'chain-40', workload: { shape: 'chain', steps: 40 } },
  { as: 'fan-200', workload: { shape: 'fan', steps: 200 } },
  { as: 'burst-50x5', workload: { shape: 'burst', runs: 50, steps: 5 } },
];

/** For those to whom a step takes seconds. */
export const slowWorkloads: readonly PeerWorkload[] = [
  { as: 'chain-40', workload: { shape: 'chain', steps: 10 } },
  { as: 'fan-200', workload: { shape: 'fan', steps: 20 } },
  { as: 'burst-50x5', workload: { shape: 'burst', runs: 3, steps: 5 } },
];
