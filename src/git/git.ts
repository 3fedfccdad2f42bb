/**
 * A Git repository as the server sees it: a bare mirror, read by object id. Nothing is checked out, no hook runs, and
 * every value that came from outside is checked here before Git sees it.
 */
import { failure, success, type Result } from '../std/result.ts';

/** 40 lower-case hex digits; made only by `parseSha`. */
export type Sha = string & { readonly brand: 'Sha' };

/** The only way to a `Sha`. Forty zeros, Git's word for "no commit", are refused: they are never a commit to be read. */
export function parseSha(text: string): Result<Sha, GitError> {
  if (/^[0-9a-f]{40}$/.test(text) && text !== '0'.repeat(40)) return success(text as Sha);
  return failure({
    kind: 'refused',
    message: `${JSON.stringify(text.slice(0, 80))} is no commit id: 40 lower-case hex digits`,
  });
}

export interface TreeFile {
  readonly path: string;
  readonly objectId: string;
  readonly bytes: number;
}

export interface Commit {
  readonly sha: Sha;
  readonly tree: string;
  readonly parents: readonly Sha[];
  readonly authorName: string;
  readonly committedAt: number;
  /** Whole, untrusted. */
  readonly message: string;
}

export type GitError =
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  /** The remote takes no push of ours: a rule of the branch, or what the credentials may do. */
  | { readonly kind: 'denied'; readonly message: string }
  /** A compare-and-set met another value. */
  | { readonly kind: 'moved'; readonly message: string; readonly actual: Sha | null };

/** The whole text of a note, from what it was (null: there was none). */
export type NoteChange = (before: string | null) => string;

export interface RemoteRefs {
  /** As `defaultBranch` says it, or said it some minutes ago; null: there is none. */
  readonly defaultBranch: string | null;
  readonly branches: ReadonlyMap<string, Sha>;
  /** By name: a commit or, of an annotated tag, the tag's own object. `refused`: there are more than 50 000. */
  readonly tags: Result<ReadonlyMap<string, string>, GitError>;
}

export interface GitRepository {
  /** Makes the mirror where there is none, and brings branches, tags and our own refs up to date. One at a time. */
  fetch(): Promise<Result<void, GitError>>;
  /**
   * Makes sure that `sha` is here, by fetching it where needed (`missing`: gone from the remote too). What strangers wrote
   * gets a limit: `refused` where no file that the fetch writes could be as large.
   */
  ensure(sha: Sha, bytesMax?: number): Promise<Result<void, GitError>>;
  /** Branches of the remote without fetching (`git ls-remote`), by name. */
  remoteBranches(): Promise<Result<ReadonlyMap<string, Sha>, GitError>>;
  /** The same, with the tags. */
  remoteRefs(): Promise<Result<RemoteRefs, GitError>>;
  /** Asks the remote (`git ls-remote`): where its HEAD points, or `main` or `master` where that names no branch. */
  defaultBranch(): Promise<Result<string, GitError>>;
  /** A branch, tag, `HEAD` or (abbreviated) SHA of the mirror. `refused`: it is there, and leads to no commit. */
  resolve(revision: string): Promise<Result<Sha, GitError>>;
  commit(sha: Sha): Promise<Result<Commit, GitError>>;
  isAncestor(ancestor: Sha, descendant: Sha): Promise<Result<boolean, GitError>>;
  mergeBase(one: Sha, other: Sha): Promise<Result<Sha | null, GitError>>;
  /** Regular files below `folder` ('' is all), without links and submodules; at most 100 000. */
  files(sha: Sha, folder: string): Promise<Result<readonly TreeFile[], GitError>>;
  /** Contents by path; a path that is not there is left out. */
  read(sha: Sha, paths: readonly string[]): Promise<Result<ReadonlyMap<string, Uint8Array>, GitError>>;
  /** Paths that differ between two commits; all of them, never a first page. `from` null: all files of `to`. */
  changedPaths(from: Sha | null, to: Sha): Promise<Result<readonly string[], GitError>>;
  /** Writes the files of `sha` into `directory` (made anew), regular files and executable bits only. */
  extract(sha: Sha, directory: string): Promise<Result<void, GitError>>;
  /**
   * One commit on `branch` of the remote with `files` set (null removes), made with plumbing in the mirror and pushed as
   * a compare-and-set against `expected` (null: the branch must not exist).
   */
  commitFiles(change: {
    readonly branch: string;
    readonly expected: Sha | null;
    readonly files: ReadonlyMap<string, string | null>;
    readonly message: string;
    readonly author: { readonly name: string; readonly email: string };
    readonly at: number;
  }): Promise<Result<Sha, GitError>>;
  /** The tip of a branch of the remote, read now (fetched), or null where there is none. */
  branchTip(branch: string): Promise<Result<Sha | null, GitError>>;
  /**
   * Sets notes of commits under `refs/notes/<namespace>`, in the remote too, all in one commit. A change may be asked more
   * than once: on top of what somebody else wrote in between. Gives the commits that are not here, which got no note.
   */
  changeNotes(
    namespace: string,
    changes: ReadonlyMap<Sha, NoteChange>,
    at: number,
  ): Promise<Result<readonly Sha[], GitError>>;
  readNote(namespace: string, sha: Sha): Promise<Result<string | null, GitError>>;
  /** Waits for the writer at work and ends the processes that are kept for reading; every later call is refused. */
  close(): Promise<void>;
}
