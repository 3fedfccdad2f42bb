/**
 * Starts processes that outlive this one, and knows them again: by their id together with the tick of the clock at which
 * they began, since an id alone is given to others in time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble } from './command.ts';
import type { Daemon } from './daemons.ts';
import { find } from './host-packages.ts';
import type { Layout } from './layout.ts';
import { lastLines } from './log.ts';
import { waitUntil } from './waiting.ts';

export async function start(layout: Layout, daemon: Daemon): Promise<void> {
  if (pidOf(layout, daemon.name) !== null) return;
  const program = find(daemon.program);
  if (program === null) throw new Trouble(`${daemon.program} is missing: \`up\` installs or builds it`);
  const log = logOf(layout, daemon.name);
  if (existsSync(log)) renameSync(log, `${log}.before`);
  const output = openSync(log, 'w');
  const child = spawn(program, daemon.words, { cwd: '/', detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  await once(child, 'spawn');
  child.unref();
  const { pid } = child;
  if (pid === undefined) throw new Error(`${daemon.name} has no process`);
  writeFileSync(fileOf(layout, daemon.name), `${pid} ${beginningOf(pid) ?? 'ended'}`);
}

/** Of the process that was started under this name, while it lives. */
export function pidOf(layout: Layout, name: string): number | null {
  const file = fileOf(layout, name);
  if (!existsSync(file)) return null;
  const [pid, beginning] = readFileSync(file, 'utf8').split(' ');
  return beginningOf(Number(pid)) === beginning ? Number(pid) : null;
}

export function assertAlive(layout: Layout, names: readonly string[]): void {
  for (const name of names)
    if (pidOf(layout, name) === null)
      throw new Trouble(`${name} has ended; ${logOf(layout, name)} ends with\n${lastLines(logOf(layout, name))}`);
}

/** Asks it to end, and ends it where it does not. */
export async function stop(layout: Layout, name: string): Promise<boolean> {
  const pid = pidOf(layout, name);
  if (pid !== null) {
    signal(pid, 'SIGTERM');
    const gone = await waitUntil(20, () => pidOf(layout, name) === null);
    if (!gone) signal(pid, 'SIGKILL');
    if (!gone) await waitUntil(20, () => pidOf(layout, name) === null);
  }
  rmSync(fileOf(layout, name), { force: true });
  return pid !== null;
}

/** A negative id means a group of processes. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** All processes whose command line holds this word. */
export function pidsWithWord(word: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter(
      (name) =>
        readIfThere(join('/proc', name, 'cmdline'))
          ?.split('\0')
          .includes(word) === true,
    )
    .map(Number);
}

/** Ticks since the machine began; null where there is no such process, or only what its parent has not yet asked for. */
function beginningOf(pid: number): string | null {
  const [state, ...fields] =
    readIfThere(`/proc/${pid}/stat`)
      ?.replace(/^.*\) /s, '')
      .split(' ') ?? [];
  return state === undefined || state === 'Z' ? null : (fields[18] ?? null);
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function fileOf({ run }: Layout, name: string): string {
  return join(run, `${name}.pid`);
}

export function logOf({ log }: Layout, name: string): string {
  return join(log, `${name}.log`);
}
