/**
 * Check runs, which only an App may have. A second POST leaves two runs for good, of which GitHub shows the newer, so the id
 * is kept, and where it was lost the run is found again by our run id in `external_id`. Annotations append: only those that
 * are not there yet are sent.
 */
import { z } from 'zod';
import { unreachable } from '../../std/unreachable.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { linkTarget } from '../escape.ts';
import { forgeLimits, reportContext, type ForgeError, type ReportState, type RunReport } from '../forge.ts';
import { createKeyedLock } from '../keyed-lock.ts';
import { checkOutput, type CheckOutput } from '../report-text.ts';
import type { Api, CallFailure } from './api.ts';

const checkRun = z.object({
  id: z.number(),
  external_id: z.string().nullish(),
  app: z.object({ id: z.number() }).nullish(),
  output: z.object({ annotations_count: z.number() }).nullish(),
});
type CheckRun = z.infer<typeof checkRun>;

export type SetCheckRun = (report: RunReport, id: string | null) => Promise<Result<string, ForgeError>>;

export function checkRunWriter(api: Api, appId: number): SetCheckRun {
  const lock = createKeyedLock();
  return async (report, id) => {
    const known = knownId(id, report);
    const written = await lock(`${report.sha} ${report.pipeline}`, () => write(api, appId, report, known));
    if (!written.ok) return failure(written.error.error);
    const isBound = report.mentions.length > 0 || (known === written.value && id !== String(known));
    return success(isBound ? `${written.value} ${report.runId ?? ''}` : String(written.value));
  };
}

/** Nothing takes annotations away: with those of a run's logs a check is that run's, and the next run gets another. */
function knownId(id: string | null, { runId }: RunReport): number | null {
  const [, number, run] = /^(\d{1,15})(?: (.*))?$/.exec(id ?? '') ?? [];
  return number === undefined || (run !== undefined && run !== (runId ?? '')) ? null : Number(number);
}

async function write(
  api: Api,
  appId: number,
  report: RunReport,
  id: number | null,
): Promise<Result<number, CallFailure>> {
  const output = checkOutput(report);
  let known = id;
  if (known === null) {
    const found = await find(api, appId, report);
    if (!found.ok) return found;
    known = found.value;
  }
  if (known !== null) {
    const updated = await update(api, known, { ...fields(report), output: texts(output) });
    if (updated.ok) return annotate(api, updated.value, output);
    if (updated.error.status !== 404) return updated;
  }
  const created = await api.call('create the check run', checkRun, (octokit) =>
    octokit.rest.checks.create({
      ...api.repository,
      name: reportContext(report.pipeline),
      head_sha: report.sha,
      ...fields(report),
      output: { ...texts(output), annotations: output.annotations.slice(0, forgeLimits.annotationsPerRequestMax) },
    }),
  );
  return created.ok ? annotate(api, created.value, output) : created;
}

/** A run of ours for the same commit, pipeline and run that was created before its id could be kept. */
async function find(api: Api, appId: number, report: RunReport): Promise<Result<number | null, CallFailure>> {
  const listed = await api.call('list the check runs', z.object({ check_runs: z.array(checkRun) }), (octokit) =>
    octokit.rest.checks.listForRef({
      ...api.repository,
      ref: report.sha,
      check_name: reportContext(report.pipeline),
      app_id: appId,
      filter: 'all',
      per_page: 100,
    }),
  );
  if (!listed.ok) return listed;
  const same = listed.value.check_runs.filter(
    (run) => (run.external_id ?? '') === (report.runId ?? '') && (run.app?.id ?? appId) === appId,
  );
  return success(same.length === 0 ? null : Math.min(...same.map((run) => run.id)));
}

/** Sends the annotations that GitHub does not have, at most 50 with each request. */
async function annotate(api: Api, run: CheckRun, output: CheckOutput): Promise<Result<number, CallFailure>> {
  const batch = forgeLimits.annotationsPerRequestMax;
  for (let at = run.output?.annotations_count ?? 0; at < output.annotations.length; at += batch) {
    const updated = await update(api, run.id, {
      output: { ...texts(output), annotations: output.annotations.slice(at, at + batch) },
    });
    if (!updated.ok) return updated;
  }
  return success(run.id);
}

type Update = Partial<ReturnType<typeof fields>> & {
  readonly output: ReturnType<typeof texts> & { readonly annotations?: CheckOutput['annotations'] };
};

function update(api: Api, id: number, change: Update): Promise<Result<CheckRun, CallFailure>> {
  const { output, ...rest } = change;
  const { annotations, ...text } = output;
  return api.call('update the check run', checkRun, (octokit) =>
    octokit.rest.checks.update({
      ...api.repository,
      check_run_id: id,
      ...rest,
      output: { ...text, ...(annotations === undefined ? {} : { annotations: [...annotations] }) },
    }),
  );
}

function texts(output: CheckOutput): { title: string; summary: string; text?: string } {
  return { title: output.title, summary: output.summary, ...(output.text === '' ? {} : { text: output.text }) };
}

function fields(report: RunReport) {
  const url = linkTarget(report.url);
  const time = (at: number | null): string | null =>
    at === null ? null : new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
  const [started, finished] = [time(report.startedAt), time(report.finishedAt)];
  return {
    ...progress(report.state),
    ...(report.runId === null ? {} : { external_id: report.runId }),
    ...(url === null ? {} : { details_url: url }),
    ...(started === null ? {} : { started_at: started }),
    ...(finished === null ? {} : { completed_at: finished }),
  };
}

/** GitHub calls an unfinished check stale after 14 days: one that waits for a person is completed and asks for action. */
function progress(
  state: ReportState,
):
  | { status: 'queued' | 'in_progress' }
  | { status: 'completed'; conclusion: 'action_required' | 'success' | 'failure' | 'neutral' | 'cancelled' } {
  switch (state) {
    case 'pending':
      return { status: 'queued' };
    case 'running':
      return { status: 'in_progress' };
    case 'waiting':
      return { status: 'completed', conclusion: 'action_required' };
    case 'success':
    case 'failure':
    case 'neutral':
    case 'cancelled':
      return { status: 'completed', conclusion: state };
    case 'error':
      return { status: 'completed', conclusion: 'failure' };
    default:
      return unreachable(state);
  }
}
