/**
 * A commit on a branch of the remote without a checkout: blobs, a private index, a tree, a commit, and a push that the
 * remote accepts only while the branch stands where we expect it. The commit's id follows from its contents, so a push
 * whose answer was lost is recognised by reading the branch again.
 */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, success, type Result } from '../std/result.ts';
import { localFailure } from './errors.ts';
import { asGitError, fetchBranch, fetchCommit } from './fetching.ts';
import { parseSha, type GitError, type GitRepository, type Sha } from './git.ts';
import { parseBranchName, parsePath, type BranchName } from './guards.ts';
import { gitLimits } from './limits.ts';
import type { TransferError, Workshop } from './workshop.ts';

export type Change = Parameters<GitRepository['commitFiles']>[0];

/** How often a push is tried while the remote's branch stays where it was (another push held its lock). */
const pushAttemptsMax = 3;

/** Only within `exclusive`. */
export async function commitFiles(workshop: Workshop, change: Change): Promise<Result<Sha, GitError>> {
  const branch = checkChange(change);
  if (!branch.ok) return branch;
  if (change.expected !== null) {
    const base = await fetchCommit(workshop, change.expected);
    if (!base.ok) return base;
  }
  const commit = await makeCommit(workshop, change);
  if (!commit.ok) return commit;
  const pushed = await pushBranch(workshop, branch.value, commit.value, change.expected);
  if (!pushed.ok) return pushed;
  await workshop.local(['update-ref', '--end-of-options', `refs/heads/${branch.value}`, commit.value]);
  return commit;
}

function checkChange(change: Change): Result<BranchName, GitError> {
  if (change.files.size === 0 || change.files.size > gitLimits.commitFilesMax) {
    return refuse(`a commit of ${change.files.size} files: at least 1 and at most ${gitLimits.commitFilesMax}`);
  }
  for (const [path, text] of change.files) {
    const parsed = parsePath(path);
    if (!parsed.ok) return parsed;
    if (/\p{Cc}/u.test(path)) return refuse(`${JSON.stringify(path)} holds control characters`);
    if (text !== null && Buffer.byteLength(text) > gitLimits.fileBytesMax) {
      return refuse(`${path} is larger than ${gitLimits.fileBytesMax} bytes`);
    }
  }
  if (change.message.includes('\0') || Buffer.byteLength(change.message) > gitLimits.commitMessageBytesMax) {
    return refuse(`the commit's message holds NUL or is larger than ${gitLimits.commitMessageBytesMax} bytes`);
  }
  return parseBranchName(change.branch);
}

async function makeCommit(workshop: Workshop, change: Change): Promise<Result<Sha, GitError>> {
  const index = join(workshop.directory, `index-${randomUUID()}`);
  const own = { GIT_INDEX_FILE: index };
  try {
    const lines: string[] = [];
    for (const [path, text] of change.files) {
      const id =
        text === null ? success('0'.repeat(40)) : await objectId(workshop, ['hash-object', '-w', '--stdin'], text);
      if (!id.ok) return id;
      lines.push(text === null ? `0 ${id.value}\t${path}\0` : `100644 ${id.value}\t${path}\0`);
    }
    if (change.expected !== null) {
      const read = await workshop.local(['read-tree', change.expected], '', own);
      if (read.kind !== 'exited' || read.code !== 0) return localFailure('reading the tree', read);
    }
    const updated = await workshop.local(
      ['update-index', '--add', '--replace', '-z', '--index-info'],
      lines.join(''),
      own,
    );
    if (updated.kind !== 'exited' || updated.code !== 0) return localFailure('setting the files', updated);
    const tree = await objectId(workshop, ['write-tree'], '', own);
    if (!tree.ok) return tree;
    const parents = change.expected === null ? [] : ['-p', change.expected];
    const argv = ['commit-tree', tree.value, ...parents, '-F', '-'];
    return await objectId(workshop, argv, change.message, identity(change.author, change.at));
  } finally {
    await rm(index, { force: true });
  }
}

/** The environment that names author and committer; `at` in milliseconds. */
function identity(author: { readonly name: string; readonly email: string }, at: number): Record<string, string> {
  const clean = (text: string): string =>
    text
      .replaceAll(/[<>\p{Cc}\p{Cf}]+/gu, ' ')
      .trim()
      .slice(0, 200) || 'unknown';
  const date = `@${Math.max(0, Math.floor(at / 1000))} +0000`;
  const [name, email] = [clean(author.name), clean(author.email)];
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
}

async function objectId(
  workshop: Workshop,
  argv: readonly string[],
  stdin: string,
  extra = {},
): Promise<Result<Sha, GitError>> {
  const outcome = await workshop.local(argv, stdin, extra);
  if (outcome.kind !== 'exited' || outcome.code !== 0) return localFailure(`git ${argv[0] ?? ''}`, outcome);
  return parseSha(outcome.stdout.toString('utf8').trim());
}

async function pushBranch(
  workshop: Workshop,
  branch: BranchName,
  commit: Sha,
  expected: Sha | null,
): Promise<Result<void, GitError>> {
  for (let attempt = 1; ; attempt += 1) {
    const pushed = await push(workshop, `refs/heads/${branch}`, commit, expected);
    if (pushed.ok) return pushed;
    const tip = await fetchBranch(workshop, branch);
    if (!tip.ok) return tip;
    if (tip.value !== null && (await isSameOrAncestor(workshop, commit, tip.value))) return success(undefined);
    if (tip.value !== expected) {
      const message = `branch ${branch} is at ${tip.value ?? 'nothing'}, expected was ${expected ?? 'nothing'}`;
      return failure({ kind: 'moved', message, actual: tip.value });
    }
    if (attempt < pushAttemptsMax && /lock/i.test(pushed.error.said)) continue;
    return failure(pushed.error.error);
  }
}

/** Where another push was first, or holds the lock. */
const rivalry = /\[rejected\]|cannot lock ref|failed to update ref|incorrect old value|reference already exists/i;

const denial = new RegExp(
  [
    '\\[remote rejected\\]|pre-receive|protected branch',
    'returned error: 40[13]|authentication failed|could not read (?:username|password)|permission .*denied|access denied|not granted',
  ].join('|'),
  'i',
);

/** Pushes as a compare-and-set: `refused` where somebody else was first. */
export async function push(
  workshop: Workshop,
  ref: string,
  commit: Sha,
  expected: Sha | null,
): Promise<Result<void, TransferError>> {
  const lease = `--force-with-lease=${ref}:${expected ?? ''}`;
  const options = ['--quiet', '--no-verify', '--no-signed', '--no-follow-tags', '--no-recurse-submodules', lease];
  const pushed = await workshop.transfer(`pushing ${ref}`, [
    'push',
    ...options,
    '--',
    workshop.remote.address,
    `${commit}:${ref}`,
  ]);
  if (pushed.ok) return pushed;
  const { said, error } = pushed.error;
  const kind = rivalry.test(said) ? 'refused' : denial.test(said) ? 'denied' : null;
  return kind === null ? pushed : failure({ said, error: { kind, message: error.message } });
}

async function isSameOrAncestor(workshop: Workshop, one: Sha, other: Sha): Promise<boolean> {
  if (one === other) return true;
  const outcome = await workshop.local(['merge-base', '--is-ancestor', one, other]);
  return outcome.kind === 'exited' && outcome.code === 0;
}

/** A commit of the mirror by ref, read by the caller under the writer's turn. */
export async function commitAt(workshop: Workshop, ref: string): Promise<Result<Sha | null, GitError>> {
  const found = await workshop.reader.info(ref);
  if (!found.ok) return failure(asGitError(found.error));
  return found.value === null ? success(null) : parseSha(found.value.id);
}

function refuse(message: string): Result<never, GitError> {
  return failure({ kind: 'refused', message });
}
