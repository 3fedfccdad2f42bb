/**
 * How much time of the processor and how much memory an attempt takes, its descendants included: looked up in /proc
 * soon after the start and then once a second for all attempts together. A command of less than a tenth of a second
 * has no figures; the last second of a longer one is not in its processor time.
 *
 * The same looks hold an attempt to its limit of memory. What was taken and given back between two of them is not seen.
 */
import { cpuMsOf, listProcesses, proportionalBytes, type ProcessInfo } from './processes.ts';

export interface UsageSampler {
  /** Watches the group of this process until `end` tells what was seen. */
  watch(pid: number, limit: MemoryLimit | null): WatchedUsage;
  close(): void;
}

export interface WatchedUsage {
  end(): { readonly cpuMs: number | null; readonly memoryBytesMax: number | null };
}

export interface MemoryLimit {
  readonly bytes: number;
  /** More was seen. Called once. */
  exceeded(): void;
}

const [firstMs, everyMs] = [100, 1000];

interface Sample {
  /** What a process that served others before has used for them, its own descendants that it reaped included. */
  readonly cpuMsBefore: number;
  cpuMs: number | null;
  memoryBytesMax: number | null;
  /** Null: there is none. */
  readonly limit: MemoryLimit | null;
  /** More was seen: it is on its way to its end, and what is looked up further is no use. */
  exceeded: boolean;
}

/** `shareOf`: what a process takes, where pages of several count for each in part; null where it cannot be told. */
export function createUsageSampler(
  list: () => readonly ProcessInfo[] = listProcesses,
  shareOf: (pid: number) => number | null = proportionalBytes,
  usedBy: (pid: number) => number = cpuMsOf,
): UsageSampler {
  const watched = new Map<number, Sample>();
  let timer: NodeJS.Timeout | null = null;
  let isSoon = false;

  const schedule = (ms: number): void => {
    if (timer !== null) clearTimeout(timer);
    isSoon = ms === firstMs;
    timer = setTimeout(look, ms).unref();
  };
  const look = (): void => {
    timer = null;
    isSoon = false;
    if (watched.size === 0) return;
    const members = new Map<number, ProcessInfo[]>();
    for (const [root, one] of ownedBy(list(), watched)) {
      const known = members.get(root);
      if (known === undefined) members.set(root, [one]);
      else known.push(one);
    }
    for (const [root, all] of members) {
      const sample = watched.get(root);
      if (sample !== undefined) add(sample, all, shareOf);
    }
    schedule(everyMs);
  };
  return {
    watch(pid, limit) {
      const sample: Sample = { cpuMsBefore: usedBy(pid), cpuMs: null, memoryBytesMax: null, limit, exceeded: false };
      watched.set(pid, sample);
      if (!isSoon) schedule(firstMs);
      return {
        end() {
          watched.delete(pid);
          const { cpuMs, memoryBytesMax } = sample;
          return { cpuMs, memoryBytesMax };
        },
      };
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      watched.clear();
    },
  };
}

function add(sample: Sample, members: readonly ProcessInfo[], shareOf: (pid: number) => number | null): void {
  const { limit } = sample;
  if (sample.exceeded) return;
  let memoryBytes = sum(members.map((one) => one.memoryBytes));
  // What workers that were forked share counts for each of them: only what is beyond the limit is worth a closer look.
  if (limit !== null && memoryBytes > limit.bytes)
    memoryBytes = sum(members.map((one) => shareOf(one.pid) ?? one.memoryBytes));
  // A descendant that was reaped is counted by its parent, so the sum only ever grows, save for those that were not.
  sample.cpuMs = Math.max(sample.cpuMs ?? 0, sum(members.map((one) => one.cpuMs)) - sample.cpuMsBefore);
  sample.memoryBytesMax = Math.max(sample.memoryBytesMax ?? 0, memoryBytes);
  if (limit === null || memoryBytes <= limit.bytes) return;
  sample.exceeded = true;
  limit.exceeded();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Each process that is, or descends from, a watched one or its group, with the watched one. */
function* ownedBy(all: readonly ProcessInfo[], roots: ReadonlyMap<number, unknown>): Generator<[number, ProcessInfo]> {
  const byPid = new Map(all.map((one) => [one.pid, one]));
  for (const one of all) {
    for (
      let up: ProcessInfo | undefined = one, depth = 0;
      up !== undefined && depth < 100;
      up = byPid.get(up.parent), depth += 1
    ) {
      const root = roots.has(up.pid) ? up.pid : roots.has(up.group) ? up.group : null;
      if (root === null) continue;
      yield [root, one];
      break;
    }
  }
}
