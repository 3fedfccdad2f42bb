/** What comes from the remote: all refs that are ours to follow, one branch, or one commit by its id. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, success, type Result } from '../std/result.ts';
import { isCorruption } from './errors.ts';
import type { GitError, Sha } from './git.ts';
import { parseBranchName, type BranchName } from './guards.ts';
import { gitLimits } from './limits.ts';
import { madeAt, prepareFolder, removeFolder } from './mirror-folder.ts';
import { remoteHead, type RemoteHead } from './remote.ts';
import type { TransferError, Workshop } from './workshop.ts';

/** Pull requests are not followed: their heads are fetched by id when they are needed. */
const followed = [
  '+refs/heads/*:refs/heads/*',
  '+refs/tags/*:refs/tags/*',
  '+refs/notes/contender*:refs/notes/contender*',
];

const quietly = [
  '--quiet',
  '--force',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-auto-maintenance',
  '--no-recurse-submodules',
];

/** All followed refs; a mirror that turns out corrupt is made anew. Only within `exclusive`. */
export async function fetchAll(workshop: Workshop): Promise<Result<void, GitError>> {
  const first = await fetchFollowed(workshop);
  if (first.ok || !isCorruption(first.error.said)) return first.ok ? first : failure(first.error.error);
  return makeAnew(workshop, first.error.error.message);
}

/** Removes the mirror and fetches everything, unless that was done a short time ago. Only within `exclusive`. */
export async function makeAnew(workshop: Workshop, reason: string): Promise<Result<void, GitError>> {
  const now = workshop.clock.now();
  const age = now - (await madeAt(workshop.directory));
  if (age < gitLimits.recloneIntervalMs) {
    const minutes = Math.ceil((gitLimits.recloneIntervalMs - age) / 60_000);
    return failure({
      kind: 'unreachable',
      message: `the mirror is corrupt and is made anew in ${minutes} min: ${reason}`,
    });
  }
  workshop.rebuilds.count += 1;
  try {
    await removeFolder(workshop.directory, now);
    const made = await prepareFolder(workshop.directory, workshop.remote.address, now);
    workshop.reader.renew();
    if (!made.ok) return made;
    const fetched = await fetchFollowed(workshop);
    if (!fetched.ok) return failure(fetched.error.error);
    const head = await remoteHead(workshop);
    if (head.ok) await pointHead(workshop, head.value);
    return success(undefined);
  } finally {
    workshop.rebuilds.count += 1;
  }
}

function fetchFollowed(workshop: Workshop): Promise<Result<void, TransferError>> {
  return workshop.transfer('fetching', ['fetch', ...quietly, '--prune', '--', workshop.remote.address, ...followed]);
}

/** The tip of one branch, fetched; null where the remote has no such branch. Only within `exclusive`. */
export async function fetchBranch(workshop: Workshop, branch: BranchName): Promise<Result<Sha | null, GitError>> {
  const ref = `refs/heads/${branch}`;
  const fetched = await fetchRef(workshop, `branch ${branch}`, ref);
  if (!fetched.ok) return fetched;
  if (!fetched.value) return success(null);
  const tip = await workshop.reader.info(ref);
  if (!tip.ok) return failure(asGitError(tip.error));
  return success(tip.value === null ? null : (tip.value.id as Sha));
}

/** Brings one ref up to date, or removes it where the remote has none (false). Only within `exclusive`. */
export async function fetchRef(workshop: Workshop, what: string, ref: string): Promise<Result<boolean, GitError>> {
  const fetched = await workshop.transfer(`fetching ${what}`, [
    'fetch',
    ...quietly,
    '--',
    workshop.remote.address,
    `+${ref}:${ref}`,
  ]);
  if (fetched.ok) return success(true);
  if (fetched.error.error.kind !== 'missing') return failure(fetched.error.error);
  await workshop.local(['update-ref', '-d', '--end-of-options', ref]);
  return success(false);
}

/** One commit by its id, from wherever the remote reaches it. Only within `exclusive`. */
export async function fetchCommit(workshop: Workshop, sha: Sha, bytesMax?: number): Promise<Result<void, GitError>> {
  if (await hasCommit(workshop, sha)) return success(undefined);
  const argv = ['fetch', ...quietly, '--', workshop.remote.address, sha];
  const fetched = await workshop.transfer(`fetching ${sha}`, argv, bytesMax);
  if (!fetched.ok) return failure(fetched.error.error);
  if (await hasCommit(workshop, sha)) return success(undefined);
  return failure({ kind: 'missing', message: `${sha} is no commit` });
}

export async function hasCommit(workshop: Workshop, sha: Sha): Promise<boolean> {
  const found = await workshop.reader.info(sha);
  return found.ok && found.value?.type === 'commit';
}

/** Lets the mirror's HEAD follow the remote's. Only within `exclusive`. */
export async function pointHead(workshop: Workshop, { defaultBranch }: RemoteHead): Promise<void> {
  const branch = parseBranchName(defaultBranch ?? '');
  if (branch.ok) await workshop.local(['symbolic-ref', '--', 'HEAD', `refs/heads/${branch.value}`]);
}

/** Whether the mirror's HEAD already follows the remote's, or has nothing to follow. Read without a turn. */
export async function isHeadRight({ directory }: Workshop, { defaultBranch }: RemoteHead): Promise<boolean> {
  if (defaultBranch === null) return true;
  const head = await readFile(join(directory, 'HEAD'), 'utf8').catch(() => null);
  return head?.trimEnd() === `ref: refs/heads/${defaultBranch}`;
}

/** A broken mirror, as those see it who cannot mend it: not "gone", but not to be had now. */
export function asGitError(error: GitError | { readonly kind: 'corrupt'; readonly message: string }): GitError {
  return error.kind === 'corrupt' ? { kind: 'unreachable', message: `the mirror is corrupt: ${error.message}` } : error;
}
