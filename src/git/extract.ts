/**
 * A commit's files in a folder, written by us from objects: no checkout, so no hook, filter, attribute, link or
 * submodule has a say (`git archive` would honour export-subst and export-ignore). What lies in Git LFS stays a pointer.
 * The folder appears whole or not at all: it is filled beside its place and renamed.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure, success, type Result } from '../std/result.ts';
import type { Sha } from './git.ts';
import { gitLimits } from './limits.ts';
import { openObjectReader, type ObjectReader, type ReadError } from './object-reader.ts';
import { rootTree, walkTree, type BlobEntry } from './tree.ts';
import { messageOfError } from '../std/error-message.ts';

const filesAtOnce = 256;
const smallBytesMax = 64 * 1024;

/** Reads through a process of its own, so that a large tree holds up nobody else. */
export async function extractCommit(mirror: string, sha: Sha, target: string): Promise<Result<void, ReadError>> {
  const reader = openObjectReader(mirror);
  const partial = `${target}.partial-${randomUUID()}`;
  try {
    const root = await rootTree(reader, sha);
    if (!root.ok) return root;
    const files = await walkTree(reader, root.value, Buffer.alloc(0));
    if (!files.ok) return files;
    await mkdir(dirname(target), { recursive: true });
    await mkdir(partial);
    const written = await writeFiles(reader, files.value, partial);
    if (!written.ok) return written;
    await rename(partial, target);
    return success(undefined);
  } catch (error) {
    const reason = messageOfError(error);
    return failure({ kind: 'refused', message: `commit ${sha} cannot be written to ${target}: ${reason}` });
  } finally {
    await reader.close();
    await rm(partial, { recursive: true, force: true });
  }
}

async function writeFiles(
  reader: ObjectReader,
  files: readonly BlobEntry[],
  folder: string,
): Promise<Result<void, ReadError>> {
  const folders = new Set<string>();
  const budget = { bytes: gitLimits.extractBytesMax };
  for (let at = 0; at < files.length; at += filesAtOnce) {
    const some = files.slice(at, at + filesAtOnce);
    for (const { path } of some) {
      const parent = path.lastIndexOf('/');
      const key = path.toString('latin1', 0, Math.max(parent, 0));
      if (parent < 0 || folders.has(key)) continue;
      folders.add(key);
      await mkdir(inside(folder, path.subarray(0, parent)), { recursive: true });
    }
    // All of them end before the first failure counts: whoever clears the folder must find nobody writing in it.
    for (const written of await Promise.allSettled(some.map((file) => writeOne(reader, file, folder, budget)))) {
      if (written.status === 'rejected') throw written.reason;
      if (!written.value.ok) return written.value;
    }
  }
  return success(undefined);
}

async function writeOne(
  reader: ObjectReader,
  file: BlobEntry,
  folder: string,
  budget: { bytes: number },
): Promise<Result<void, ReadError>> {
  const path = inside(folder, file.path);
  const mode = file.kind === 'executable' ? 0o755 : 0o644;
  let isWritten = false;
  let handle: FileHandle | null = null;
  try {
    // `wx`: two names that the file system takes for one (`A` and `a` on some) are an error, not a silent loss.
    const found = await reader.stream(file.id, (header) => {
      budget.bytes -= header.bytes;
      if (budget.bytes < 0) throw new Error(`more than ${gitLimits.extractBytesMax} bytes`);
      let position = 0;
      return async (chunk) => {
        if (chunk.length === header.bytes && chunk.length <= smallBytesMax) {
          // Small and at hand: written at once in some 50 us, where three turns through the thread pool take five times that.
          if (!isWritten) writeFileSync(path, chunk, { flag: 'wx', mode });
          isWritten = true;
          return;
        }
        handle ??= await open(path, 'wx', mode);
        await handle.write(chunk, 0, chunk.length, position);
        position += chunk.length;
      };
    });
    if (!found.ok) return found;
    if (found.value === null)
      return failure({ kind: 'corrupt', message: `file ${file.id} is missing from the mirror` });
    if (found.value.bytes === 0) await writeFile(path, '', { flag: 'wx', mode });
    return success(undefined);
  } finally {
    await closeHandle(handle);
  }
}

// Outside the function above, where the compiler would think the handle still null.
async function closeHandle(handle: FileHandle | null): Promise<void> {
  await handle?.close();
}

/** Every name in `path` has passed `isSafeEntryName`, so this cannot lead out of `folder`. Bytes, as names may be any. */
function inside(folder: string, path: Buffer): Buffer {
  return Buffer.concat([Buffer.from(join(folder, '/')), path]);
}
