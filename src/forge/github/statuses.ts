/** Commit statuses: sent when they change, since GitHub keeps every one and stops at 1000 per commit and context. */
import { z } from 'zod';
import { failure, success, type Result } from '../../std/result.ts';
import { reportContext, type ForgeError, type RunReport } from '../forge.ts';
import { linkTarget } from '../escape.ts';
import { statusDescription, statusState } from '../report-text.ts';
import { createRecent } from '../recent.ts';
import type { Api } from './api.ts';

/** Of statuses that are remembered as sent; the oldest is forgotten first. */
const rememberedMax = 1000;

export type SendStatus = (report: RunReport) => Promise<Result<void, ForgeError>>;

export function statusSender(api: Api): SendStatus {
  const sent = createRecent(rememberedMax);
  return async (report) => {
    const context = reportContext(report.pipeline);
    const url = linkTarget(report.url);
    const status = {
      state: statusState(report),
      description: statusDescription(report),
      ...(url === null ? {} : { target_url: url }),
    };
    const key = `${report.sha} ${context}`;
    const text = JSON.stringify(status);
    if (sent.last(key) === text && (await stillShown(api, report.sha, context, status))) return success(undefined);
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

const combined = z.object({
  statuses: z.array(
    z.object({
      context: z.string(),
      state: z.string(),
      description: z.string().nullish(),
      target_url: z.string().nullish(),
    }),
  ),
});

/** Whether nobody has set another status over ours: only then is saying it again superfluous. */
async function stillShown(
  api: Api,
  sha: string,
  context: string,
  status: { readonly state: string; readonly description: string; readonly target_url?: string },
): Promise<boolean> {
  const shown = await api.call('read the commit status', combined, (octokit) =>
    octokit.rest.repos.getCombinedStatusForRef({ ...api.repository, ref: sha, per_page: 100 }),
  );
  if (!shown.ok) return false;
  return shown.value.statuses.some(
    (one) =>
      one.context === context &&
      one.state === status.state &&
      one.description === status.description &&
      (one.target_url ?? undefined) === status.target_url,
  );
}
