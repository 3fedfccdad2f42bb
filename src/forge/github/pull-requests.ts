/** Pull requests as GitHub gives them, in webhooks and answers alike. */
import { z } from 'zod';
import { failure, success, type Result } from '../../std/result.ts';
import type { ForgeError, PullRequest } from '../forge.ts';
import type { Api } from './api.ts';

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const repositoryId = z.object({ id: z.number() }).nullish();

/** Tolerant: what we do not use may be missing or new. */
export const pullRequestShape = z.object({
  number: z.number().int().positive(),
  state: z.enum(['open', 'closed']),
  title: z.string(),
  merged: z.boolean().nullish(),
  merged_at: z.string().nullish(),
  merge_commit_sha: z.string().nullish(),
  user: z.object({ login: z.string() }).nullish(),
  head: z.object({ sha, ref: z.string(), repo: repositoryId }),
  base: z.object({ sha, ref: z.string(), repo: repositoryId }),
});

export function toPullRequest(given: z.infer<typeof pullRequestShape>): PullRequest {
  const merged = given.merged === true || (given.merged_at ?? null) !== null;
  const [headId, baseId] = [given.head.repo?.id ?? null, given.base.repo?.id ?? null];
  return {
    number: given.number,
    state: given.state,
    merged,
    // Of an open one, GitHub gives the commit of a trial merge.
    mergeSha: merged ? (given.merge_commit_sha ?? null) : null,
    headSha: given.head.sha,
    headBranch: given.head.ref,
    baseBranch: given.base.ref,
    baseSha: given.base.sha,
    // A head whose repository is gone was a fork: the base's own is never gone.
    fork: headId === null || headId !== baseId,
    author: given.user?.login ?? 'ghost',
    title: given.title,
  };
}

/** Open pull requests are read up to this many. */
const openMax = 1000;
const perPage = 100;

export async function readPullRequest(api: Api, number: number): Promise<Result<PullRequest, ForgeError>> {
  const found = await api.call(`show pull request ${number}`, pullRequestShape, (octokit) =>
    octokit.rest.pulls.get({ ...api.repository, pull_number: number }),
  );
  if (found.ok) return success(toPullRequest(found.value));
  const { status, error } = found.error;
  return failure(status === 404 ? { kind: 'final', message: error.message } : error);
}

export async function readOpenPullRequests(api: Api): Promise<Result<readonly PullRequest[], ForgeError>> {
  const all = new Map<number, PullRequest>();
  for (let page = 1; page <= openMax / perPage; page += 1) {
    const listed = await api.call('list the open pull requests', z.array(pullRequestShape), (octokit) =>
      octokit.rest.pulls.list({
        ...api.repository,
        state: 'open',
        sort: 'created',
        direction: 'desc',
        per_page: perPage,
        page,
      }),
    );
    if (!listed.ok) return failure(listed.error.error);
    // One that is opened in between moves others to the next page, where they come again.
    for (const one of listed.value) all.set(one.number, toPullRequest(one));
    if (listed.value.length < perPage) break;
  }
  return success([...all.values()]);
}

/** GitHub gives those that contain the commit; ours are those that it is the head or the merge of. */
export async function readPullRequestsOf(
  api: Api,
  commit: string,
): Promise<Result<readonly PullRequest[], ForgeError>> {
  const listed = await api.call('list the pull requests of the commit', z.array(pullRequestShape), (octokit) =>
    octokit.rest.repos.listPullRequestsAssociatedWithCommit({
      ...api.repository,
      commit_sha: commit,
      per_page: perPage,
    }),
  );
  if (!listed.ok) {
    // A commit that GitHub does not know, or no longer, has none.
    return listed.error.status === 422 || listed.error.status === 404 ? success([]) : failure(listed.error.error);
  }
  return success(listed.value.map(toPullRequest).filter((one) => one.headSha === commit || one.mergeSha === commit));
}
