/**
 * How much time of the processor and how much memory an attempt takes, its descendants included: looked up in /proc
 * soon after the start and then once a second for all attempts together. A command of less than a tenth of a second
 * has no figures; the last second of a longer one is not in its processor time.
 */
import { listProcesses, type ProcessInfo } from './processes.ts';

export interface UsageSampler {
  /** Watches the group of this process until `end` tells what was seen. */
  watch(pid: number): { end(): { readonly cpuMs: number | null; readonly memoryBytesMax: number | null } };
  close(): void;
}

const [firstMs, everyMs] = [100, 1000];

interface Sample {
  cpuMs: number | null;
  memoryBytesMax: number | null;
}

export function createUsageSampler(list: () => readonly ProcessInfo[] = listProcesses): UsageSampler {
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
    const totals = new Map<number, { cpuMs: number; memoryBytes: number }>();
    for (const [root, one] of ownedBy(list(), watched)) {
      const total = totals.get(root) ?? { cpuMs: 0, memoryBytes: 0 };
      totals.set(root, { cpuMs: total.cpuMs + one.cpuMs, memoryBytes: total.memoryBytes + one.memoryBytes });
    }
    for (const [root, total] of totals) {
      const sample = watched.get(root);
      if (sample === undefined) continue;
      // A descendant that was reaped is counted by its parent, so the sum only ever grows, save for those that were not.
      sample.cpuMs = Math.max(sample.cpuMs ?? 0, total.cpuMs);
      sample.memoryBytesMax = Math.max(sample.memoryBytesMax ?? 0, total.memoryBytes);
    }
    schedule(everyMs);
  };
  return {
    watch(pid) {
      const sample: Sample = { cpuMs: null, memoryBytesMax: null };
      watched.set(pid, sample);
      if (!isSoon) schedule(firstMs);
      return {
        end() {
          watched.delete(pid);
          return sample;
        },
      };
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      watched.clear();
    },
  };
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
