/**
 * The folder of a mirror on disk: made, recognised as ours, and freed of what a killed git left behind. The server's own
 * lock makes us its only user, so every `*.lock` found while none of our commands runs is stale.
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { failure, success, type Result } from '../std/result.ts';
import { endProcessGroup, runGit } from './command.ts';
import { localEnvironment } from './environment.ts';
import { localFailure } from './errors.ts';
import type { GitError } from './git.ts';

const markerName = 'contender-mirror.json';
const writerName = 'contender-writer.pid';
const orphanEndMsMax = 5000;

interface Marker {
  /** Null where a killed server has not written it to its end. */
  readonly address: string | null;
  readonly madeAt: number;
}

/**
 * Makes or adopts the mirror in `directory`. A folder with other contents is left alone and refused; one whose marker a killed
 * server has not written to its end is ours, and made anew.
 */
export async function prepareFolder(directory: string, address: string, now: number): Promise<Result<void, GitError>> {
  await mkdir(directory, { recursive: true });
  const marker = await readMarker(directory);
  if (marker === null && (await readdir(directory)).length > 0) {
    return failure({ kind: 'refused', message: `${directory} is not empty and is no mirror of ours` });
  }
  await endOrphan(directory);
  if (marker?.address !== address) {
    if (marker !== null) await removeFolder(directory, now);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, markerName), JSON.stringify({ address, madeAt: now }));
  }
  removeStaleLocks(directory);
  const argv = ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', '--object-format=sha1'];
  const made = await runGit({ argv, environment: localEnvironment(), directory });
  return made.kind === 'exited' && made.code === 0 ? success(undefined) : localFailure('making the mirror', made);
}

/** Removes the mirror, to be made anew by `prepareFolder`: first out of the way, so that half of it is never adopted. */
export async function removeFolder(directory: string, now: number): Promise<void> {
  const aside = `${directory}.broken-${now}`;
  await rename(directory, aside);
  await rm(aside, { recursive: true, force: true });
}

/** When the mirror was made, or 0. */
export async function madeAt(directory: string): Promise<number> {
  return (await readMarker(directory))?.madeAt ?? 0;
}

/** Deletes locks and half-received packs. Only while no command of ours writes. */
export function removeStaleLocks(directory: string): void {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const name of names) {
    const isLock = name.endsWith('.lock') && !name.startsWith('objects/');
    // A `.temp` or `.prev` is an object half received over plain HTTP, which git would go on with.
    const isLeftover =
      /^objects\/(?:pack\/|[0-9a-f]{2}\/)?(?:tmp_|\.tmp-|incoming-)/.test(name) ||
      /^objects\/.*\.(?:temp|prev)$/.test(name) ||
      /^index-[0-9a-f-]{36}$/.test(name);
    if (isLock || isLeftover || /^objects\/.*\.lock$/.test(name))
      rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/** Notes which process group writes, for whoever opens the mirror after we were killed. */
export function recordWriter(directory: string, processGroup: number): void {
  writeFileSync(join(directory, writerName), String(processGroup));
}

export function forgetWriter(directory: string): void {
  rmSync(join(directory, writerName), { force: true });
}

/**
 * Ends the git that outlived a killed server, where it is certainly ours: its arguments name this folder. Waits until it
 * is gone, as it could still write what its successor writes.
 */
async function endOrphan(directory: string): Promise<void> {
  try {
    const id = Number(readFileSync(join(directory, writerName), 'utf8'));
    if (!Number.isSafeInteger(id) || id <= 1) return;
    const argv = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
    if (!argv.includes(`--git-dir=${directory}`)) return;
    endProcessGroup(id);
    for (let waitedMs = 0; waitedMs < orphanEndMsMax && isGroupAlive(id); waitedMs += 5) await pause(5);
  } catch {
    // No record, no such process, or a system without /proc: nothing to end.
  } finally {
    forgetWriter(directory);
  }
}

/** Whether a process of the group still runs; one that has ended and waits for its parent to look does not. */
function isGroupAlive(id: number): boolean {
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      // The program's name, in parentheses, may hold anything.
      const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(group) === id && !'ZX'.includes(state);
    } catch {
      return false;
    }
  });
}

/** Null where there is none. */
async function readMarker(directory: string): Promise<Marker | null> {
  const text = await readFile(join(directory, markerName), 'utf8').catch(() => null);
  return text === null ? null : (markerOf(text) ?? { address: null, madeAt: 0 });
}

function markerOf(text: string): Marker | null {
  try {
    const marker: unknown = JSON.parse(text);
    if (typeof marker !== 'object' || marker === null || !('address' in marker) || !('madeAt' in marker)) return null;
    const { address, madeAt } = marker;
    return typeof address === 'string' && typeof madeAt === 'number' ? { address, madeAt } : null;
  } catch {
    return null;
  }
}
