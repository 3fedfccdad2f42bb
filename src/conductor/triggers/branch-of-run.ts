/** For which branch a run was, in the eyes of those that listen to it. */
import { firstTriggerOf, type RunOpened } from '../../engine/event.ts';
import type { GitRepository } from '../../git/git.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { unreachable } from '../../std/unreachable.ts';
import { isOnBranch } from './on-branch.ts';
import type { Project } from '../ports.ts';
import { shaOf } from '../sha.ts';

/** `why`: it was for none that counts. `again`: Git does not say now. */
export type RunBranch =
  | { readonly branch: string; readonly isDefault: boolean }
  | { readonly why: string }
  | { readonly again: string };

/** Git whose remote is asked each thing at most once: for what is decided together, of which all was known before. */
export function askedOnce(git: GitRepository): GitRepository {
  let branch: ReturnType<GitRepository['defaultBranch']> | null = null;
  let fetched: ReturnType<GitRepository['fetch']> | null = null;
  return { ...git, defaultBranch: () => (branch ??= git.defaultBranch()), fetch: () => (fetched ??= git.fetch()) };
}

export async function branchOfRun({ git }: Pick<Project, 'git'>, { trigger, sha }: RunOpened): Promise<RunBranch> {
  const first = firstTriggerOf(trigger);
  if (first.kind === 'pull-request') return { why: `it was for pull request #${first.number}, which is not merged` };
  if (first.kind === 'backfill') return { why: 'a backfill starts nothing else' };
  const found = await git.defaultBranch();
  if (!found.ok) return { again: found.error.message };
  const branch = found.value;
  switch (first.kind) {
    case 'push':
    case 'pipeline':
      return { branch: first.branch, isDefault: first.branch === branch };
    case 'schedule':
    case 'data':
      return { branch, isDefault: true };
    case 'manual':
      return branchOfCommit(git, sha, branch);
    default:
      return unreachable(first);
  }
}

/** Whoever starts a run by hand names a commit and no branch. */
async function branchOfCommit(git: GitRepository, sha: string, branch: string): Promise<RunBranch> {
  const commit = shaOf(sha);
  const why = { why: `it was started by hand at ${sha.slice(0, 7)}, which is not on ${branch}` };
  if (commit === null) return why;
  const merged = await isOnBranch(git, branch, commit);
  if (!merged.ok) return { again: merged.error };
  return merged.value ? { branch, isDefault: true } : why;
}

/**
 * Whether a run is of what the default branch holds: only then does what it came to count for other runs. The error is a
 * sentence about Git, which is asked only where the trigger leaves it open.
 */
export async function isOfDefaultBranch(
  { git }: Pick<Project, 'git'>,
  { trigger, sha }: Pick<RunOpened, 'trigger' | 'sha'>,
): Promise<Result<boolean, string>> {
  const first = firstTriggerOf(trigger);
  if (first.kind === 'schedule' || first.kind === 'data') return success(true);
  if (first.kind === 'pull-request') return success(false);
  const found = await git.defaultBranch();
  if (!found.ok) return failure(found.error.message);
  const branch = found.value;
  switch (first.kind) {
    case 'push':
    case 'pipeline':
      return success(first.branch === branch);
    case 'manual':
    case 'backfill': {
      const commit = shaOf(sha);
      return commit === null ? success(false) : isOnBranch(git, branch, commit);
    }
    default:
      return unreachable(first);
  }
}
