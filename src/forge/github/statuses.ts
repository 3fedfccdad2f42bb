/**
 * Commit statuses: sent when they change, since GitHub keeps every one and stops at 1000 per commit and context. An hourly
 * run of a branch that does not move would be there in three weeks, and red no more from then on. So a run that nobody
 * asked for says nothing before its end, and then only what is not shown already.
 */
import { z } from 'zod';
import { failure, success, type Result } from '../../std/result.ts';
import { reportContext, type ForgeError, type RunReport } from '../forge.ts';
import { linkTarget } from '../escape.ts';
import { statusDescription, statusState } from '../report-text.ts';
import { createRecent } from '../recent.ts';
import type { Api } from './api.ts';

/** Of statuses that are remembered as sent; the oldest is forgotten first. */
const rememberedMax = 1000;

/** Contexts of a commit among which ours is looked for. */
const perPage = 100;
const pagesMax = 10;

export type SendStatus = (report: RunReport, wasSet?: boolean) => Promise<Result<void, ForgeError>>;

export function statusSender(api: Api): SendStatus {
  const sent = createRecent(rememberedMax);
  return async (report, wasSet = false) => {
    const context = reportContext(report.pipeline);
    const url = linkTarget(report.url);
    const status = {
      state: statusState(report),
      description: statusDescription(report),
      ...(url === null ? {} : { target_url: url }),
    };
    const key = `${report.sha} ${context}`;
    const text = JSON.stringify(status);
    if (!report.isAsked) {
      if (status.state === 'pending') return success(undefined);
      const shown = await shownStatus(api, report.sha, context);
      if (shown !== null && isSameNews(shown, status)) return success(undefined);
    } else if ((wasSet || sent.last(key) === text) && isSame(await shownStatus(api, report.sha, context), status))
      return success(undefined);
    const answer = await api.call('set the commit status', z.object({ state: z.string() }), (octokit) =>
      octokit.rest.repos.createCommitStatus({ ...api.repository, sha: report.sha, context, ...status }),
    );
    if (!answer.ok) {
      const { error } = answer.error;
      if (answer.error.status !== 422 || !/maximum number of statuses/i.test(error.message)) return failure(error);
      return failure({
        kind: 'final',
        message: `${report.sha.slice(0, 12)} has 1000 statuses of ${context}, GitHub takes no more: its comment and check run still change`,
      });
    }
    sent.remember(key, text);
    return success(undefined);
  };
}

const shownShape = z.object({
  context: z.string(),
  state: z.string(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
});
const combined = z.object({ statuses: z.array(shownShape) });

type Shown = z.infer<typeof shownShape>;

interface OwnStatus {
  readonly state: string;
  readonly description: string;
  readonly target_url?: string;
}

/** What GitHub shows now: somebody may have set another status over ours. Null: nothing, or it does not say. */
async function shownStatus(api: Api, sha: string, context: string): Promise<Shown | null> {
  for (let page = 1; page <= pagesMax; page += 1) {
    const shown = await api.call('read the commit status', combined, (octokit) =>
      octokit.rest.repos.getCombinedStatusForRef({ ...api.repository, ref: sha, per_page: perPage, page }),
    );
    if (!shown.ok) return null;
    const own = shown.value.statuses.find((one) => one.context === context);
    if (own !== undefined || shown.value.statuses.length < perPage) return own ?? null;
  }
  return null;
}

function isSame(shown: Shown | null, status: OwnStatus): boolean {
  return (
    shown !== null &&
    shown.state === status.state &&
    shown.description === status.description &&
    (shown.target_url ?? undefined) === status.target_url
  );
}

/** Another run, how long it took and what exactly it measured are no news where it came to the same. */
function isSameNews(shown: Shown, { state, description }: OwnStatus): boolean {
  return shown.state === state && wordsOf(shown.description ?? '') === wordsOf(description);
}

function wordsOf(description: string): string {
  return description.replace(/^(All steps ended well) in .*/, '$1').replaceAll(/\d[\d.,]*/g, '0');
}
