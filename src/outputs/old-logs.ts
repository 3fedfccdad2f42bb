/**
 * The logs of runs that nobody has written to for long, and their removal. What goes is first renamed, so that a reader
 * finds all of it or nothing; what a server that died had renamed goes with the next look.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { orNullWhereMissing } from '../std/error-message.ts';
import { closedEmptyPrefix } from './log-file.ts';
import type { Freed, OldLogs, OldLogStore } from './outputs.ts';

const leaving = 'removing~';

export function openOldLogs(directory: string): OldLogStore {
  return {
    async old(before) {
      const found: OldLogs[] = [];
      for (const name of ((await orNullWhereMissing(readdir(directory))) ?? []).toSorted(byName)) {
        const path = join(directory, name);
        const isLeaving = name.startsWith(leaving);
        const changedAt = (await orNullWhereMissing(stat(path)))?.mtimeMs ?? Number.POSITIVE_INFINITY;
        if (!isLeaving && changedAt >= before) continue;
        found.push({
          runIds: isLeaving ? [] : await runsIn(path, name),
          size: () => sizeOf(path),
          async remove() {
            const freed = await sizeOf(path);
            const gone = isLeaving ? path : join(directory, `${leaving}${randomUUID()}`);
            if (!isLeaving) await rename(path, gone);
            await rm(gone, { recursive: true, force: true });
            return freed;
          },
        });
      }
      return found;
    },
  };
}

/** A folder has the logs of the run that it is called by; a note of logs without a line names `run/log`. */
async function runsIn(path: string, name: string): Promise<readonly string[]> {
  if (!name.startsWith(closedEmptyPrefix)) return [name];
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return [...new Set(lines.map((line) => line.split('/', 1)[0] ?? ''))];
}

async function sizeOf(path: string): Promise<Freed> {
  const found = await stat(path);
  if (found.isFile()) return { files: 1, bytes: found.size };
  let [files, bytes] = [0, 0];
  for (const name of await readdir(path)) {
    const inner = await sizeOf(join(path, name));
    files += inner.files;
    bytes += inner.bytes;
  }
  return { files, bytes };
}

function byName(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
