/**
 * Artifacts that nobody has put or used for long, and their removal. A file is renamed, looked at once more and only then
 * removed: who uses it before that is seen by its time, and who uses it afterwards is told that it is not there. The look
 * follows without a wait, and what a process that died between them has left is put back by the next look.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { orNullWhereMissing } from '../std/error-message.ts';
import { artifactPath, isHash } from './directory-artifacts.ts';
import type { OldArtifactStore } from './outputs.ts';

const hashLength = 64;

export function openOldArtifacts(directory: string): OldArtifactStore {
  const aside = join(directory, 'removing');
  return {
    async old(before) {
      for (const name of (await orNullWhereMissing(readdir(aside))) ?? [])
        await orNullWhereMissing(putBack(join(aside, name), artifactPath(directory, name.slice(0, hashLength))));
      const found = new Map<string, number>();
      for (const first of await pairsIn(directory)) {
        for (const second of await pairsIn(join(directory, first))) {
          const folder = join(directory, first, second);
          for (const sha256 of await hashesIn(folder)) {
            const file = await orNullWhereMissing(stat(join(folder, sha256)));
            if (file !== null && file.mtimeMs < before) found.set(sha256, file.size);
          }
        }
      }
      return found;
    },
    async remove(sha256, before) {
      const path = artifactPath(directory, sha256);
      // No other process that removes the same has this name.
      const away = join(aside, `${sha256}~${randomUUID()}`);
      if (!isOld(path, before)) return false;
      mkdirSync(aside, { recursive: true });
      renameSync(path, away);
      if (!isOld(away, before)) {
        renameSync(away, path);
        return false;
      }
      // Of a large file this takes a while.
      await rm(away, { force: true });
      return true;
    },
  };
}

/** As new: in its place may stand what somebody has put meanwhile, which must not become old. */
async function putBack(away: string, path: string): Promise<void> {
  const now = new Date();
  await utimes(away, now, now);
  await rename(away, path);
}

function isOld(path: string, before: number): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY) < before;
}

async function pairsIn(folder: string): Promise<readonly string[]> {
  return ((await orNullWhereMissing(readdir(folder))) ?? []).filter((name) => /^[0-9a-f]{2}$/.test(name));
}

async function hashesIn(folder: string): Promise<readonly string[]> {
  return ((await orNullWhereMissing(readdir(folder))) ?? []).filter(isHash);
}
