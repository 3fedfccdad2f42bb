/**
 * A bare mirror of one remote in a folder of its own. Reads go to a process that is kept (object-reader.ts) and run side
 * by side; fetches and writes take turns. A mirror is a cache: whatever it loses, the remote has, so a broken one is
 * thrown away and fetched anew.
 */
import { isAbsolute, resolve } from 'node:path';
import type { Clock } from '../std/clock.ts';
import { ProblemError } from '../std/problem.ts';
import { failure, success, type Result } from '../std/result.ts';
import { parseCommit } from './commit-object.ts';
import { commitFiles } from './committing.ts';
import type { Credentials } from './environment.ts';
import { localFailure } from './errors.ts';
import { extractCommit } from './extract.ts';
import {
  asGitError,
  fetchAll,
  fetchBranch,
  fetchCommit,
  hasCommit,
  isHeadRight,
  makeAnew,
  pointHead,
} from './fetching.ts';
import { watchRefs } from './folder-refs.ts';
import { parseSha, type Commit, type GitError, type GitRepository, type Sha, type TreeFile } from './git.ts';
import { parseBranchName, parseNotesNamespace, parsePath, parseRevision } from './guards.ts';
import { checkGitVersion, mergeBase } from './history.ts';
import { gitLimits } from './limits.ts';
import { prepareFolder } from './mirror-folder.ts';
import { changeNotes, readNote } from './notes.ts';
import type { ReadError } from './object-reader.ts';
import { parseRemoteUrl } from './remote-url.ts';
import { remoteHead, remoteRefs, usualBranch } from './remote.ts';
import { rootTree, treeLookup, walkTree, withSizes } from './tree.ts';
import { openWorkshop, type Workshop } from './workshop.ts';
import { messageOfError } from '../std/error-message.ts';

export interface MirrorOptions {
  /** https, ssh, file, http on this machine, or a path; the operator's own configuration. */
  readonly url: string;
  /** The mirror's own folder, made where it is not there. */
  readonly directory: string;
  /** Asked before each transfer; null is anonymous. Used for https and http only. */
  readonly credentials?: () => Promise<Credentials | null>;
  readonly clock?: Clock;
  readonly limits?: { readonly transferTimeMs?: number };
}

/** Does nothing yet: the folder is prepared by the first call. Throws a `ProblemError` for a URL that is not supported. */
export function openMirror(options: MirrorOptions): GitRepository {
  const remote = parseRemoteUrl(options.url);
  if (!remote.ok) {
    const help = 'Correct the URL of the repository in the configuration.';
    throw new ProblemError({ code: 'repository-url-invalid', message: remote.error, where: null, help });
  }
  const workshop = openWorkshop({
    directory: isAbsolute(options.directory) ? options.directory : resolve(options.directory),
    remote: remote.value,
    credentials: options.credentials ?? (() => Promise.resolve(null)),
    clock: options.clock ?? { now: Date.now },
    transferTimeMs: options.limits?.transferTimeMs ?? gitLimits.transferTimeMs,
  });
  const turns = takeTurns(workshop);
  return { ...remoteSide(workshop, turns), ...readSide(workshop, turns), close: workshop.close };
}

/**
 * How operations come to the mirror: with commit ids that are proven once more (a brand can be forged by a cast), in a
 * folder that is prepared, writers one by one, readers with one healing.
 */
interface Turns {
  ready(shas: readonly Sha[]): Promise<Result<void, GitError>>;
  write<T>(shas: readonly Sha[], work: () => Promise<Result<T, GitError>>): Promise<Result<T, GitError>>;
  read<T>(shas: readonly Sha[], work: () => Promise<Result<T, ReadError>>): Promise<Result<T, GitError>>;
}

function takeTurns(workshop: Workshop): Turns {
  let prepared: Promise<Result<void, GitError>> | null = null;
  let writes = 0;

  const ready = async (shas: readonly Sha[]): Promise<Result<void, GitError>> => {
    for (const sha of shas) {
      const proven = parseSha(sha);
      if (!proven.ok) return proven;
    }
    prepared ??= workshop.exclusive(() => prepare(workshop));
    const result = await prepared;
    if (!result.ok) prepared = null;
    return result;
  };

  const tidy = (): void => {
    writes += 1;
    if (writes % gitLimits.writesBetweenMaintenance !== 0) return;
    void workshop.exclusive(async () => {
      // What no ref reaches stays packed: as a file for each object, the heads of forks would fill the folder.
      const settings = ['gc.auto=1000', 'gc.autoDetach=false', 'gc.cruftPacks=true'];
      const packing = [...settings.flatMap((setting) => ['-c', setting]), 'gc', '--auto', '--quiet'];
      await workshop.local(packing);
      workshop.reader.renew();
      return success(undefined);
    });
  };

  return {
    ready,
    async write(shas, work) {
      const first = await ready(shas);
      if (!first.ok) return first;
      const result = await workshop.exclusive(work);
      tidy();
      return result;
    },
    async read(shas, work) {
      const first = await ready(shas);
      if (!first.ok) return first;
      const { rebuilds } = workshop;
      const before = rebuilds.count;
      const result = await work();
      if (result.ok) return result;
      const { error } = result;
      const disturbed = rebuilds.count !== before || before % 2 === 1;
      if (error.kind !== 'corrupt' && !disturbed) return failure(error);
      // Behind a rebuild that goes on, this waits for it; one that was done since is not done twice.
      const healed = await workshop.exclusive(() => {
        const isDone = disturbed || rebuilds.count !== before;
        return isDone ? Promise.resolve(success(undefined)) : makeAnew(workshop, error.message);
      });
      if (!healed.ok) return healed;
      const again = await work();
      return again.ok ? again : failure(asGitError(again.error));
    },
  };
}

async function prepare(workshop: Workshop): Promise<Result<void, GitError>> {
  try {
    const version = await checkGitVersion();
    if (!version.ok) return version;
    return await prepareFolder(workshop.directory, workshop.remote.address, workshop.clock.now());
  } catch (error) {
    const reason = messageOfError(error);
    return failure({ kind: 'refused', message: `the mirror in ${workshop.directory} cannot be prepared: ${reason}` });
  }
}

type RemoteSide = Pick<
  GitRepository,
  'fetch' | 'ensure' | 'remoteBranches' | 'remoteRefs' | 'defaultBranch' | 'branchTip' | 'commitFiles' | 'changeNotes'
>;

function remoteSide(workshop: Workshop, turns: Turns): RemoteSide {
  let waiting: Promise<Result<void, GitError>> | null = null;
  let knowsHead = false;
  const watchedRefs = watchRefs(workshop);
  return {
    fetch() {
      // Whoever asks while a fetch still waits for its turn is served by it; one that runs may have read too early.
      waiting ??= turns.write([], async () => {
        waiting = null;
        const fetched = await fetchAll(workshop);
        if (!fetched.ok || knowsHead) return fetched;
        const head = await remoteHead(workshop);
        if (head.ok) await pointHead(workshop, head.value);
        knowsHead = head.ok;
        return fetched;
      });
      const mine = waiting;
      void mine.then(() => (waiting = waiting === mine ? null : waiting));
      return mine;
    },
    async ensure(sha, bytesMax) {
      const first = await turns.ready([sha]);
      if (!first.ok) return first;
      if (await hasCommit(workshop, sha)) return success(undefined);
      return turns.write([sha], () => fetchCommit(workshop, sha, bytesMax));
    },
    async remoteBranches() {
      const first = await turns.ready([]);
      if (!first.ok) return first;
      const refs = await remoteRefs(workshop, false);
      return refs.ok ? success(refs.value.branches) : refs;
    },
    async remoteRefs() {
      const first = await turns.ready([]);
      return first.ok ? watchedRefs() : first;
    },
    async defaultBranch() {
      const first = await turns.ready([]);
      if (!first.ok) return first;
      const head = await remoteHead(workshop);
      if (!head.ok) return head;
      const name = usualBranch(head.value);
      if (name === null) return failure({ kind: 'missing', message: 'the remote has no default branch' });
      if (!(await isHeadRight(workshop, head.value)))
        await turns.write([], async () => success(await pointHead(workshop, head.value)));
      return success(name);
    },
    async branchTip(branch) {
      const name = parseBranchName(branch);
      return name.ok ? turns.write([], () => fetchBranch(workshop, name.value)) : name;
    },
    commitFiles: (change) =>
      turns.write(change.expected === null ? [] : [change.expected], () => commitFiles(workshop, change)),
    async changeNotes(namespace, changes, at) {
      const ref = parseNotesNamespace(namespace);
      return ref.ok ? turns.write([...changes.keys()], () => changeNotes(workshop, ref.value, changes, at)) : ref;
    },
  };
}

type ReadSide = Pick<
  GitRepository,
  'resolve' | 'commit' | 'isAncestor' | 'mergeBase' | 'files' | 'read' | 'changedPaths' | 'extract' | 'readNote'
>;

function readSide(workshop: Workshop, turns: Turns): ReadSide {
  return {
    resolve: (revision) => turns.read([], () => resolveRevision(workshop, revision)),
    commit: (sha) => turns.read([sha], () => readCommit(workshop, sha)),
    async isAncestor(ancestor, descendant) {
      const base = await turns.read([ancestor, descendant], () => commonAncestor(workshop, ancestor, descendant));
      return base.ok ? success(base.value === ancestor) : base;
    },
    mergeBase: (one, other) => turns.read([one, other], () => commonAncestor(workshop, one, other)),
    files: (sha, folder) => turns.read([sha], () => listFiles(workshop, sha, folder)),
    read: (sha, paths) => turns.read([sha], () => readFiles(workshop, sha, paths)),
    async changedPaths(from, to) {
      if (from === null) {
        const all = await turns.read([to], () => listFiles(workshop, to, ''));
        return all.ok ? success(all.value.map((file) => file.path)) : all;
      }
      return turns.read([from, to], () => differingPaths(workshop, from, to));
    },
    extract: (sha, directory) => turns.read([sha], () => extractCommit(workshop.directory, sha, resolve(directory))),
    async readNote(namespace, sha) {
      const ref = parseNotesNamespace(namespace);
      return ref.ok ? turns.read([sha], () => readNote(workshop, ref.value, sha)) : ref;
    },
  };
}

async function resolveRevision(workshop: Workshop, revision: string): Promise<Result<Sha, ReadError>> {
  const names = parseRevision(revision);
  if (!names.ok) return names;
  for (const name of names.value) {
    const found = await workshop.reader.info(`${name}^{commit}`);
    if (!found.ok) return found;
    if (found.value !== null) return parseSha(found.value.id);
    const other = await workshop.reader.info(name);
    if (!other.ok) return other;
    if (other.value !== null)
      return failure({ kind: 'refused', message: `${revision} leads to no commit: it names a ${other.value.type}` });
  }
  const message = (await hasNoRef(workshop))
    ? 'the repository has no commit yet'
    : `${revision} is no branch, tag or commit of the repository`;
  return failure({ kind: 'missing', message });
}

async function hasNoRef(workshop: Workshop): Promise<boolean> {
  const listed = await workshop.local(['for-each-ref', '--count=1', 'refs/heads', 'refs/tags']);
  return listed.kind === 'exited' && listed.code === 0 && listed.stdout.length === 0;
}

async function readCommit(workshop: Workshop, sha: Sha): Promise<Result<Commit, ReadError>> {
  const found = await workshop.reader.contents(sha, gitLimits.objectBytesMax);
  if (!found.ok) return found;
  if (found.value?.type !== 'commit')
    return failure({ kind: 'missing', message: `commit ${sha} is not in the mirror` });
  return parseCommit(sha, found.value.data);
}

async function commonAncestor(workshop: Workshop, one: Sha, other: Sha): Promise<Result<Sha | null, ReadError>> {
  const here = await areHere(workshop, [one, other]);
  return here.ok ? mergeBase(workshop.directory, one, other) : here;
}

async function differingPaths(workshop: Workshop, from: Sha, to: Sha): Promise<Result<readonly string[], ReadError>> {
  const here = await areHere(workshop, [from, to]);
  if (!here.ok) return here;
  const options = ['-r', '-z', '--name-only', '--no-renames', '--no-ext-diff', '--no-textconv'];
  const outcome = await workshop.local(['diff-tree', ...options, from, to, '--']);
  if (outcome.kind !== 'exited' || outcome.code !== 0) return localFailure('comparing two commits', outcome);
  return success(outcome.stdout.toString('utf8').split('\0').slice(0, -1));
}

async function areHere(workshop: Workshop, commits: readonly Sha[]): Promise<Result<void, ReadError>> {
  for (const sha of commits) {
    const found = await workshop.reader.info(sha);
    if (!found.ok) return found;
    if (found.value?.type === 'commit') continue;
    return failure({ kind: 'missing', message: `commit ${sha} is not in the mirror` });
  }
  return success(undefined);
}

async function listFiles(
  workshop: Workshop,
  sha: Sha,
  folder: string,
): Promise<Result<readonly TreeFile[], ReadError>> {
  const path = folder === '' ? success('') : parsePath(folder);
  if (!path.ok) return path;
  const reader = workshop.reader;
  const root = await rootTree(reader, sha);
  if (!root.ok) return root;
  const entry = await treeLookup(reader, root.value)(path.value);
  if (!entry.ok) return entry;
  if (entry.value?.kind !== 'folder') return success([]);
  const entries = await walkTree(reader, entry.value.id, Buffer.from(path.value));
  return entries.ok ? withSizes(reader, entries.value) : entries;
}

async function readFiles(
  workshop: Workshop,
  sha: Sha,
  paths: readonly string[],
): Promise<Result<ReadonlyMap<string, Uint8Array>, ReadError>> {
  const reader = workshop.reader;
  const root = await rootTree(reader, sha);
  if (!root.ok) return root;
  const lookUp = treeLookup(reader, root.value);
  const contents = new Map<string, Uint8Array>();
  let bytes = 0;
  for (const path of new Set(paths)) {
    const parsed = parsePath(path);
    if (!parsed.ok) return parsed;
    const entry = await lookUp(path);
    if (!entry.ok) return entry;
    if (entry.value?.kind !== 'file' && entry.value?.kind !== 'executable') continue;
    const found = await reader.contents(entry.value.id, gitLimits.fileBytesMax);
    if (!found.ok) return found;
    if (found.value === null)
      return failure({ kind: 'corrupt', message: `file ${entry.value.id} is missing from the mirror` });
    bytes += found.value.bytes;
    if (bytes > gitLimits.readBytesMax) {
      return failure({
        kind: 'refused',
        message: `the files are larger than ${gitLimits.readBytesMax} bytes together`,
      });
    }
    contents.set(path, found.value.data);
  }
  return success(contents);
}
