/**
 * What a tree of processes takes, read from /proc: time of the processor, and memory. The sum of resident sets counts a
 * page once for each process that maps it, so a PostgreSQL with many connections looks larger than it is; proportional
 * sets share it out, but cost too much to read while something is measured.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { listProcesses, type ProcessInfo } from '../src/executor/local/processes.ts';

const megabyte = 2 ** 20;
/** Seldom enough to take about one percent of a core. */
const sampleEveryMs = 200;

export interface Usage {
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
}

/** What the trees below `roots` take while `work` is done. */
export async function usageOf<Result>(
  roots: readonly number[],
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly usage: Usage }> {
  const before = treesOf(roots);
  let peak = memoryOf(before);
  const look = (): readonly ProcessInfo[] => {
    const trees = treesOf(roots);
    peak = Math.max(peak, memoryOf(trees));
    return trees;
  };
  const timer = setInterval(look, sampleEveryMs);
  try {
    const result = await work();
    const cpuMs = cpuOf(look()) - cpuOf(before);
    return { result, usage: { cpuSeconds: cpuMs / 1000, peakRssMb: Math.round(peak / megabyte) } };
  } finally {
    clearInterval(timer);
  }
}

export interface IdleUsage {
  readonly rssMb: number;
  readonly pssMb: number;
  /** Of one core. */
  readonly cpuPercent: number;
}

/** What the trees take while nothing is asked of them. */
export async function idleUsage(roots: readonly number[], ms: number): Promise<IdleUsage> {
  const startedAt = performance.now();
  const cpuMsBefore = cpuOf(treesOf(roots));
  await sleep(ms);
  const trees = treesOf(roots);
  return {
    rssMb: Math.round(memoryOf(trees) / megabyte),
    pssMb: Math.round(sum(trees.map(({ pid }) => kilobytesOf('Pss', `/proc/${pid}/smaps_rollup`))) / 1024),
    cpuPercent: ((cpuOf(trees) - cpuMsBefore) / (performance.now() - startedAt)) * 100,
  };
}

/** The most that a process had resident at once, as the kernel kept it. */
export function peakRssMb(pid: number): number {
  return Math.round(kilobytesOf('VmHWM', `/proc/${pid}/status`) / 1024);
}

export function rssMb(pid: number): number {
  return Math.round(kilobytesOf('VmRSS', `/proc/${pid}/status`) / 1024);
}

/** The processes of `roots` and all below them. */
export function treesOf(roots: readonly number[]): readonly ProcessInfo[] {
  const all = listProcesses();
  const found = new Map(all.filter(({ pid }) => roots.includes(pid)).map((one) => [one.pid, one]));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const one of all) if (found.has(one.parent)) found.set(one.pid, one);
  }
  return [...found.values()];
}

/** A process that was waited for is in its parent's time. */
function cpuOf(processes: readonly ProcessInfo[]): number {
  return sum(processes.map(({ cpuMs }) => cpuMs));
}

function memoryOf(processes: readonly ProcessInfo[]): number {
  return sum(processes.map(({ memoryBytes }) => memoryBytes));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Zero where the process ended while it was looked at. */
function kilobytesOf(name: string, path: string): number {
  try {
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
