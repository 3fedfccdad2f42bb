/** Whether a branch of the remote holds a commit, whatever the mirror of this server knew before. */
import type { GitRepository, Sha } from '../../git/git.ts';
import { failure, success, type Result } from '../../std/result.ts';

/** The error is worth another try. */
export async function isOnBranch(git: GitRepository, branch: string, sha: Sha): Promise<Result<boolean, string>> {
  const fetched = await git.fetch();
  if (!fetched.ok) return failure(fetched.error.message);
  const tip = await git.resolve(branch);
  if (!tip.ok) return failure(tip.error.message);
  const found = await git.isAncestor(sha, tip.value);
  if (found.ok) return found;
  // What has just been fetched holds every commit of the branch.
  return found.error.kind === 'missing' ? success(false) : failure(found.error.message);
}
