/**
 * The sticky comment: one per pipeline and pull request, and one for the pipelines without their own, whoever writes and
 * however often. It is found by its id, else by marker *and* author. Two servers that both find none both create one; each
 * then looks again, and both keep the oldest and delete the others, so that one is left whichever comes last.
 */
import { z } from 'zod';
import { failure, success, type Result } from '../../std/result.ts';
import type { CommentReport, ForgeError } from '../forge.ts';
import { commentBody, commentMarker } from '../report-text.ts';
import type { Api, CallFailure } from './api.ts';
import { isOwn, type Author, type Identity } from './identity.ts';
import { createKeyedLock } from '../keyed-lock.ts';

const commentLimits = {
  /** Of a pull request's comments, when ours is looked for. */
  pagesMax: 10,
  perPage: 100,
  /** After creating: who else created one within this time. */
  rivalWindowMs: 60_000,
  rivalPagesMax: 2,
} as const;

const comment = z.object({
  id: z.number(),
  created_at: z.string(),
  body: z.string().nullish(),
  user: z.object({ login: z.string(), id: z.number() }).nullable(),
});
type Comment = z.infer<typeof comment>;

export type SetComment = (
  report: CommentReport,
  pullRequest: number,
  id: string | null,
) => Promise<Result<string, ForgeError>>;

export function commentWriter(api: Api, identity: Identity): SetComment {
  const lock = createKeyedLock();
  return async (report, pullRequest, id) => {
    const written = await lock(`${pullRequest} ${report.pipeline ?? ''}`, () =>
      write(api, identity, report, pullRequest, id),
    );
    return written.ok ? success(String(written.value)) : failure(written.error.error);
  };
}

async function write(
  api: Api,
  identity: Identity,
  report: CommentReport,
  pullRequest: number,
  id: string | null,
): Promise<Result<number, CallFailure>> {
  const body = commentBody(report);
  if (id !== null && /^\d{1,15}$/.test(id)) {
    const edited = await edit(api, Number(id), body);
    if (edited.ok || !isGone(edited.error)) return edited;
  }
  const author = await identity.own();
  if (!author.ok) return author;
  const marker = commentMarker(report.pipeline);
  const found = await findOwn(api, author.value, marker, pullRequest, { pagesMax: commentLimits.pagesMax });
  if (!found.ok) return found;
  if (found.value.length > 0) {
    const kept = await keepOldest(api, found.value, body);
    if (kept.ok || !isGone(kept.error)) return kept;
  }
  const created = await api.call('comment on the pull request', comment, (octokit) =>
    octokit.rest.issues.createComment({ ...api.repository, issue_number: pullRequest, body }),
  );
  if (!created.ok) return created;
  return settleRivals(api, author.value, marker, pullRequest, created.value, body);
}

/** Ours is there; is another's too? The oldest wins for both. */
async function settleRivals(
  api: Api,
  author: Author,
  marker: string,
  pullRequest: number,
  created: Comment,
  body: string,
): Promise<Result<number, CallFailure>> {
  const since = new Date(Date.parse(created.created_at) - commentLimits.rivalWindowMs);
  const around = Number.isNaN(since.getTime()) ? {} : { since: since.toISOString() };
  const rivals = await findOwn(api, author, marker, pullRequest, { pagesMax: commentLimits.rivalPagesMax, ...around });
  // Ours stands: what could not be looked at is found by the next report.
  if (!rivals.ok || rivals.value.every((rival) => rival.id === created.id)) return success(created.id);
  const all = rivals.value.some((rival) => rival.id === created.id) ? rivals.value : [...rivals.value, created];
  return keepOldest(api, all, body);
}

/** Edits the oldest and deletes the others, which are all ours. */
async function keepOldest(api: Api, own: readonly Comment[], body: string): Promise<Result<number, CallFailure>> {
  const [oldest, ...others] = [...own].sort((one, other) => one.id - other.id);
  if (oldest === undefined) return failure({ status: 404, error: { kind: 'final', message: 'the comment is gone' } });
  const edited = await edit(api, oldest.id, body);
  if (!edited.ok) return edited;
  for (const { id } of others) {
    const removed = await api.call('delete a second comment', z.unknown(), (octokit) =>
      octokit.rest.issues.deleteComment({ ...api.repository, comment_id: id }),
    );
    if (!removed.ok && !isGone(removed.error)) return removed;
  }
  return edited;
}

async function edit(api: Api, id: number, body: string): Promise<Result<number, CallFailure>> {
  const edited = await api.call('edit the comment', z.object({ id: z.number() }), (octokit) =>
    octokit.rest.issues.updateComment({ ...api.repository, comment_id: id, body }),
  );
  return edited.ok ? success(edited.value.id) : edited;
}

async function findOwn(
  api: Api,
  author: Author,
  marker: string,
  pullRequest: number,
  range: { readonly pagesMax: number; readonly since?: string },
): Promise<Result<readonly Comment[], CallFailure>> {
  const own: Comment[] = [];
  const { pagesMax, ...since } = range;
  for (let page = 1; page <= pagesMax; page += 1) {
    const listed = await api.call('list the comments', z.array(comment), (octokit) =>
      octokit.rest.issues.listComments({
        ...api.repository,
        issue_number: pullRequest,
        per_page: commentLimits.perPage,
        page,
        ...since,
      }),
    );
    if (!listed.ok) return listed;
    own.push(
      ...listed.value.filter((one) => isOwn(author, one.user) && (one.body ?? '').trimStart().startsWith(marker)),
    );
    if (listed.value.length < commentLimits.perPage) break;
  }
  return success(own);
}

function isGone(failed: CallFailure): boolean {
  return failed.status === 404 || failed.status === 410;
}
