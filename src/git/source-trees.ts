/**
 * The files of commits as folders, for the steps that run on this machine: written once for each commit, shared by its
 * attempts, and removed again when many newer ones have come. A folder is whole as soon as it is there.
 */
import { existsSync } from 'node:fs';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../std/clock.ts';
import { parseSha, type GitRepository, type Sha } from './git.ts';

export const sourceTreesKeptMax = 50;

export interface SourceTrees {
  /** Folder with the files of the commit; rejects with a sentence where they cannot be had. */
  tree(repository: string, sha: string): Promise<string>;
}

export interface SourceTreesOptions {
  readonly directory: string;
  readonly repositories: ReadonlyMap<string, GitRepository>;
  readonly clock: Clock;
}

export function createSourceTrees({ directory, repositories, clock }: SourceTreesOptions): SourceTrees {
  const known = new Map<string, Promise<string>>();

  const write = async (repository: string, sha: string): Promise<string> => {
    const git = repositories.get(repository);
    const parsed = parseSha(sha);
    if (git === undefined || !parsed.ok) throw new Error(`there is no commit ${sha} of ${repository}`);
    const commit = parsed.value;
    const folder = join(directory, folderName(repository), commit);
    if (existsSync(folder)) {
      const now = new Date(clock.now());
      await utimes(folder, now, now);
      return folder;
    }
    await layOutCommit(git, commit, folder);
    await removeOldest(join(directory, folderName(repository)), folder);
    return folder;
  };

  return {
    tree(repository, sha) {
      const key = `${repository}\n${sha}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const tree = write(repository, sha);
      known.set(key, tree);
      // What failed is tried again; what is there is looked for again after many others, in case it was removed.
      tree.catch(() => known.delete(key));
      const oldest = known.size > sourceTreesKeptMax / 2 ? known.keys().next().value : undefined;
      if (oldest !== undefined) known.delete(oldest);
      return tree;
    },
  };
}

/** Into a new folder; rejects with a sentence where the commit cannot be had. */
export async function layOutCommit(git: GitRepository, commit: Sha, folder: string): Promise<void> {
  // The mirror may be younger than the run: another server opened it.
  const ready = await git.ensure(commit);
  if (!ready.ok) throw new Error(ready.error.message);
  const extracted = await git.extract(commit, folder);
  if (!extracted.ok) throw new Error(extracted.error.message);
}

function folderName(repository: string): string {
  return repository.replaceAll(/[^\w.-]/g, '+');
}

/** Those that were not used for the longest time, beyond the number that is kept. */
async function removeOldest(folder: string, newest: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => parseSha(name).ok);
  if (names.length <= sourceTreesKeptMax) return;
  const ages = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), usedAt: (await stat(join(folder, name))).mtimeMs })),
  );
  const oldest = ages.filter(({ path }) => path !== newest).toSorted((one, other) => one.usedAt - other.usedAt);
  for (const { path } of oldest.slice(0, names.length - sourceTreesKeptMax))
    await rm(path, { recursive: true, force: true });
}
