/** A file as the steps of this machine would find it. */
import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { ExecutorPorts, FilePlace } from '../executor.ts';

export async function findFile(
  { repository, sha, path }: FilePlace,
  ports: Pick<ExecutorPorts, 'sourceTree'>,
): Promise<{ readonly bytes: number } | null> {
  try {
    const place = isAbsolute(path) ? path : join(await ports.sourceTree(repository, sha), path);
    const found = await stat(place, { throwIfNoEntry: false });
    return found === undefined ? null : { bytes: found.size };
  } catch {
    // A folder that may not be entered, or a disk that is not mounted yet, may be there at the next look.
    return null;
  }
}
