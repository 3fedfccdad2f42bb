/** Where a command works: the folder given, or the nearest one above it that holds `contender.yaml` or is a repository. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ProblemError } from '../std/problem.ts';

/** Absolute. Throws a `ProblemError` where there is no such folder. */
export function existingFolder(directory: string): string {
  const folder = resolve(directory);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  throw new ProblemError({
    code: 'folder-missing',
    message: `${folder} is no folder`,
    where: null,
    help: 'Make it first, or give -C another one.',
  });
}

/** So that commands work in the subfolders of a project, as those of Git do. */
export function projectFolder(directory: string): string {
  const start = existingFolder(directory);
  for (let folder = start; ; folder = dirname(folder)) {
    if (['contender.yaml', '.git', '.pipelines'].some((name) => existsSync(join(folder, name)))) return folder;
    if (folder === dirname(folder)) return start;
  }
}

/** The folder of the Git repository that `folder` is in, perhaps itself; null where there is none. */
export function repositoryAround(folder: string): string | null {
  if (existsSync(join(folder, '.git'))) return folder;
  return folder === dirname(folder) ? null : repositoryAround(dirname(folder));
}
