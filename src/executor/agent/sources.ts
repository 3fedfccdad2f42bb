/**
 * The files of commits on a worker: laid out once for each commit, shared by its attempts and not to be written to, and removed
 * when many newer ones have come and nobody uses them.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { safeName } from '../../outputs/safe-name.ts';

export interface Source {
  readonly folder: string;
  /** It is not used any more. */
  release(): void;
}

export interface Sources {
  /** `layOut` makes the folder, and fills it or rejects; then the next one who wants it tries again. */
  use(repository: string, sha: string, layOut: (folder: string) => Promise<unknown>): Promise<Source>;
}

export const sourcesKeptMax = 10;

interface Kept {
  readonly folder: string;
  readonly ready: Promise<unknown>;
  users: number;
}

export function createSources(directory: string): Sources {
  const kept = new Map<string, Kept>();
  /** A commit keeps its folder, which warm processes know. */
  const removals = new Map<string, Promise<void>>();
  const remove = (folder: string): void => {
    const removal = rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
    removals.set(folder, removal);
    void removal.then(() => removals.delete(folder));
  };

  const removeOldest = (): void => {
    for (const [key, { folder, users }] of kept) {
      if (kept.size <= sourcesKeptMax) return;
      if (users > 0) continue;
      kept.delete(key);
      remove(folder);
    }
  };
  const anew = async (folder: string, layOut: (folder: string) => Promise<unknown>): Promise<void> => {
    await removals.get(folder);
    await layOut(folder);
  };
  return {
    async use(repository, sha, layOut) {
      const key = `${repository}@${sha}`;
      const found = kept.get(key);
      const folder = found?.folder ?? join(directory, safeName(key));
      const source = found ?? { folder, ready: anew(folder, layOut), users: 0 };
      source.users += 1;
      // Behind all others.
      kept.delete(key);
      kept.set(key, source);
      removeOldest();
      try {
        await source.ready;
      } catch (error) {
        if (kept.get(key) === source) kept.delete(key);
        throw error;
      }
      let isUsed = true;
      return {
        folder,
        release() {
          if (isUsed) source.users -= 1;
          isUsed = false;
          removeOldest();
        },
      };
    },
  };
}
