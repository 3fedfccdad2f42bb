/**
 * Empty scratch directories, made ahead: to make one takes longer than all else that stands before a start. None is
 * given to two attempts, save by a warm process to those that it serves. What an earlier server left is removed.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface FolderStock {
  take(): string;
  /** Where a directory may be made by whoever asks, who removes it too. */
  path(): string;
  /** With all that is in it. Never rejects. */
  remove(folder: string): Promise<void>;
  /** Removes those that nobody took; resolves when nothing is being made or removed any more. */
  close(): Promise<void>;
}

const batch = 8;

export function createFolderStock(parent: string): FolderStock {
  mkdirSync(parent, { recursive: true });
  const under = new Set<Promise<void>>();
  const free: string[] = [];
  let [making, closed] = [false, false];

  const path = (): string => join(parent, randomUUID());
  const follow = async (work: Promise<void>): Promise<void> => {
    under.add(work);
    await work;
    under.delete(work);
  };
  const make = async (): Promise<void> => {
    const folders = Array.from({ length: batch }, path);
    try {
      await Promise.all(folders.map((folder) => mkdir(folder)));
      free.push(...folders);
    } catch {
      // The disk is full or gone, which who takes one is told.
    }
    making = false;
  };
  const refill = (): void => {
    if (making || closed || free.length > batch / 2) return;
    making = true;
    void follow(make());
  };
  const remove = (folder: string): Promise<void> => follow(removeFolder(folder));

  for (const left of readdirSync(parent)) void remove(join(parent, left));
  refill();
  return {
    take() {
      // When the attempt is on its way, not before it.
      setImmediate(refill);
      const ready = free.pop();
      if (ready !== undefined) return ready;
      const folder = path();
      mkdirSync(folder);
      return folder;
    },
    path,
    remove,
    async close() {
      closed = true;
      while (under.size > 0) await Promise.all(under);
      await Promise.all(free.splice(0).map(removeFolder));
    },
  };
}

/** Most are empty, which one call tells. */
async function removeFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch {
    await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}
