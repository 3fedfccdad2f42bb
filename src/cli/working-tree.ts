/** The files as they stand in the user's folder, not yet committed: for `contender check` alone. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { SourceFiles } from '../compile/compile.ts';

export function workingTree(root: string): SourceFiles {
  return {
    async list(folder) {
      const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
      const paths = entries
        .filter((entry) => entry.isFile() && !posix.relative(root, entry.parentPath).includes('node_modules'))
        .map((entry) => posix.relative(root, join(entry.parentPath, entry.name)))
        .sort();
      const files = await Promise.all(
        // An editor's own may be gone by now.
        paths.map(async (path) => ({ path, bytes: (await lstat(join(root, path)).catch(() => null))?.size ?? null })),
      );
      return files.flatMap(({ path, bytes }) => (bytes === null ? [] : [{ path, bytes }]));
    },
    async read(paths) {
      const contents = new Map<string, Uint8Array>();
      for (const path of paths) {
        const full = join(root, path);
        const info = await lstat(full).catch(() => null);
        if (info?.isFile() === true) contents.set(path, await readFile(full));
      }
      return contents;
    },
  };
}
