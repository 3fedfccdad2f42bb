/**
 * Artifacts that nobody has put or used for long, and their removal. A file is renamed, looked at once more and only then
 * removed: who uses it before that is seen by its time, and who uses it afterwards is told that it is not there. All three
 * follow one another without a wait, and what a process that died between them has left is put back by the next look.
 */
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { readdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrorCode } from '../std/error-message.ts';
import { artifactPath, isHash } from './directory-artifacts.ts';
import type { OldArtifactStore } from './outputs.ts';

export function openOldArtifacts(directory: string): OldArtifactStore {
  const aside = join(directory, 'removing');
  return {
    async old(before) {
      for (const sha256 of await hashesIn(aside)) await rename(join(aside, sha256), artifactPath(directory, sha256));
      const found = new Map<string, number>();
      for (const first of await pairsIn(directory)) {
        for (const second of await pairsIn(join(directory, first))) {
          const folder = join(directory, first, second);
          for (const sha256 of await hashesIn(folder)) {
            const file = await orNull(() => stat(join(folder, sha256)));
            if (file !== null && file.mtimeMs < before) found.set(sha256, file.size);
          }
        }
      }
      return found;
    },
    remove(sha256, before) {
      const path = artifactPath(directory, sha256);
      const away = join(aside, sha256);
      const isOld = (at: string): boolean =>
        (statSync(at, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY) < before;
      if (!isOld(path)) return false;
      mkdirSync(dirname(away), { recursive: true });
      renameSync(path, away);
      const goes = isOld(away);
      if (goes) rmSync(away);
      else renameSync(away, path);
      return goes;
    },
  };
}

async function pairsIn(folder: string): Promise<readonly string[]> {
  return ((await orNull(() => readdir(folder))) ?? []).filter((name) => /^[0-9a-f]{2}$/.test(name));
}

async function hashesIn(folder: string): Promise<readonly string[]> {
  return ((await orNull(() => readdir(folder))) ?? []).filter(isHash);
}

async function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}
