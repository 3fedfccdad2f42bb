/**
 * The refs of a remote that is a folder of this machine are asked for every moment, and seldom move. Git writes a ref by
 * putting another file in its place, so as long as those files are the same ones, the last answer holds, and no process
 * is started for a new one.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { success, type Result } from '../std/result.ts';
import type { GitError, RemoteRefs } from './git.ts';
import { gitLimits } from './limits.ts';
import { remoteHead, remoteRefs, usualBranch } from './remote.ts';
import type { RemoteUrl } from './remote-url.ts';
import type { Workshop } from './workshop.ts';

/**
 * Gives what `remoteRefs` would give, with the tags, and the default branch: a far remote is asked for that less often,
 * since it names all of its refs with it. Asks Git all the same once in a while, whatever the files look like.
 */
export function watchRefs(workshop: Workshop): () => Promise<Result<RemoteRefs, GitError>> {
  const folder = folderOf(workshop.remote);
  let head: { readonly at: number; readonly branch: string | null } | null = null;
  const askRemote = async (canTell: boolean): Promise<Result<RemoteRefs, GitError>> => {
    const refs = await remoteRefs(workshop, true);
    if (!refs.ok) return refs;
    const at = workshop.clock.now();
    if (canTell || head === null || at < head.at || at - head.at >= gitLimits.headTrustedMs) {
      const found = await remoteHead(workshop);
      if (!found.ok) return found;
      head = { at, branch: usualBranch(found.value) };
    }
    return success({ ...refs.value, defaultBranch: head.branch });
  };
  let last: { readonly mark: string; readonly at: number; readonly refs: Result<RemoteRefs, GitError> } | null = null;
  return async () => {
    // Read before Git is asked: what moves in between is seen by the next look.
    const mark = folder === null ? null : await markOf(folder);
    const at = workshop.clock.now();
    if (last !== null && mark === last.mark && at >= last.at && at - last.at < gitLimits.refsTrustedMs)
      return last.refs;
    const refs = await askRemote(mark !== null);
    last = mark !== null && refs.ok ? { mark, at, refs } : null;
    return refs;
  };
}

function folderOf({ protocol, address }: RemoteUrl): string | null {
  if (protocol !== 'file') return null;
  return address.startsWith('file:') ? fileURLToPath(address) : address;
}

/** Which files hold the refs, and what can be said of them from outside; null: cannot be told, or is too much to look at. */
async function markOf(folder: string): Promise<string | null> {
  try {
    const git = (await isDirectory(join(folder, '.git'))) ? join(folder, '.git') : folder;
    const refs = await readdir(join(git, 'refs'), { recursive: true });
    if (refs.length > gitLimits.refFilesMax) return null;
    const files = ['HEAD', 'config', 'packed-refs', 'reftable/tables.list', ...refs.map((name) => join('refs', name))];
    return (await Promise.all(files.map((file) => lookAt(git, file)))).join('\n');
  } catch {
    return null;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false;
}

/** Throws for a link, behind which other files could change. */
async function lookAt(folder: string, file: string): Promise<string> {
  const found = await lstat(join(folder, file), { bigint: true }).catch(() => null);
  if (found?.isSymbolicLink() === true) throw new Error(`${file} is a link`);
  return `${file} ${found === null ? '-' : `${found.ino} ${found.ctimeNs} ${found.size}`}`;
}
