/**
 * The processes of this machine, and how to be sure that none of an attempt is left. A process belongs to an attempt
 * when it is in the process group of its first process, carries its mark in the environment that it was started with
 * (which a daemon that forks twice and leaves its session keeps), or descends from one that does.
 *
 * Linux tells all of this in /proc. Elsewhere `ps` tells groups and parents; marks cannot be read there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** With the pid it names a process for good: numbers are used again. Ticks since the boot, or what `ps` says. */
  readonly startedAt: string;
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

/** What tells the processes of an attempt, or of an executor. */
export interface ProcessMarks {
  /** `NAME=value` in the environment. */
  readonly environment: readonly string[];
  /** First processes of groups. */
  readonly groups: ReadonlySet<number>;
}

/** What was started, and what leads its group. */
export interface StartedProcess {
  readonly pid: number;
  /** The first process of its group; `startedAt` as `ProcessInfo` says it, '' where it had ended. */
  readonly leader: { readonly pid: number; readonly startedAt: string };
}

export const hasProc = existsSync('/proc/self/stat');
const [tickMs, pageBytes] = [10, 4096];

/** All processes that have not ended; zombies have. */
export function listProcesses(): readonly ProcessInfo[] {
  if (!hasProc) return listWithPs();
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const found = readProcess(Number(name));
    return found === null ? [] : [found];
  });
}

/** Null where it has ended. */
export function readProcess(pid: number): ProcessInfo | null {
  if (!hasProc) return listWithPs().find((one) => one.pid === pid) ?? null;
  const text = readOrNull(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  const ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    startedAt: fields[19] ?? '',
    cpuMs: ticks * tickMs,
    memoryBytes: Number(fields[21]) * pageBytes,
  };
}

/** Its time of the processor with that of the descendants that it reaped; 0 where nobody tells. */
export function cpuMsOf(pid: number): number {
  return hasProc ? (readProcess(pid)?.cpuMs ?? 0) : 0;
}

/** The memory that it takes, of pages that it shares its part alone; null where the kernel does not say. */
export function proportionalBytes(pid: number): number | null {
  const text = hasProc ? readOrNull(`/proc/${pid}/smaps_rollup`) : null;
  const [, kilobytes = null] = /^Pss:\s+(\d+) kB$/m.exec(text ?? '') ?? [];
  return kilobytes === null ? null : Number(kilobytes) * 1024;
}

/** Whether a signal stopped it; one that a debugger holds is in another state. */
export function isStopped(pid: number): boolean {
  if (hasProc) {
    const text = readOrNull(`/proc/${pid}/stat`);
    return text !== null && text.slice(text.lastIndexOf(')') + 2).startsWith('T ');
  }
  const listed = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return listed.stdout.trim().startsWith('T');
}

export function listWithPs(): readonly ProcessInfo[] {
  const text = execFileSync('ps', ['-axo', 'pid=,ppid=,pgid=,rss=,stat=,lstart='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*\S)\s*$/.exec(line);
    if (match === null || match[5]?.startsWith('Z')) return [];
    const [pid = 0, parent = 0, group = 0, kilobytes = 0] = match.slice(1, 5).map(Number);
    return [{ pid, parent, group, startedAt: match[6] ?? '', cpuMs: 0, memoryBytes: kilobytes * 1024 }];
  });
}

/** As `ProcessInfo` says it; '' where it has ended. */
export function startedAtOf(pid: number): string {
  return readProcess(pid)?.startedAt ?? '';
}

/** Differs after each boot, so that a recorded process of before is never taken for one of now. */
export function bootId(): string {
  return (boot ??= readOrNull('/proc/sys/kernel/random/boot_id')?.trim() ?? '');
}

let boot: string | null = null;

/** The processes that carry the marks, with all of their descendants; never this one. */
export function findMarked(marks: ProcessMarks): readonly ProcessInfo[] {
  const all = listProcesses();
  const found = new Map<number, ProcessInfo>();
  const environment = new Set(marks.environment);
  const isMarked = (one: ProcessInfo): boolean => marks.groups.has(one.group) || hasMark(one.pid, environment);
  for (const one of all) if (one.pid !== process.pid && isMarked(one)) found.set(one.pid, one);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const one of all) if (found.has(one.parent) && one.pid !== process.pid) found.set(one.pid, one);
  }
  return [...found.values()];
}

/** Sends `signal` to each of them that is still there. */
export function signalAll(processes: readonly ProcessInfo[], signal: NodeJS.Signals): void {
  for (const { pid } of processes) signalOne(pid, signal);
}

/** False where there is no such process, or it is not ours. A negative pid is a process group. */
export function signalOne(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/**
 * Kills until nothing marked is left, again and again, since a process may fork while it is looked for. What is found
 * is stopped before it is killed. False when something is still there after `patienceMs`: it hangs in the kernel.
 */
export async function endMarked(marks: ProcessMarks, patienceMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + patienceMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    const left = findMarked(marks);
    if (left.length === 0) return true;
    if (performance.now() > giveUpAt) return false;
    if (pauseMs === 1) signalAll(left, 'SIGSTOP');
    signalAll(left, 'SIGKILL');
    await sleep(pauseMs);
  }
}

function hasMark(pid: number, marks: ReadonlySet<string>): boolean {
  if (marks.size === 0 || !hasProc) return false;
  const text = readOrNull(`/proc/${pid}/environ`);
  return text !== null && text.split('\0').some((variable) => marks.has(variable));
}

/** Processes end while they are read; those of others are not to be read. */
function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
