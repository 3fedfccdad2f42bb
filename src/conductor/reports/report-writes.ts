/**
 * Reports on their way out: outbox rows whose keys make the last one win. A row names the run and not its state, so that
 * whoever sends it reads the newest; a report without a run carries its text.
 */
import { firstTriggerOf, type RunOpened } from '../../engine/event.ts';
import type { PullRequest, ReportState } from '../../forge/forge.ts';
import {
  journalLimits,
  type EvaluationRow,
  type Journal,
  type OutboxRow,
  type RunRow,
  type Write,
} from '../../journal/journal.ts';
import type { JsonObject } from '../../std/json.ts';
import type { Problem } from '../../std/problem.ts';

/** Status, check run and, on a pull request, the comment of one run. */
export function reportRun(opened: RunOpened, at: number, delayMs: number): readonly Write[] {
  const { repository, pipeline, sha, runId, trigger } = opened;
  if (!speaksForCommit(opened)) return [];
  const first = firstTriggerOf(trigger);
  const pullRequest = first.kind === 'pull-request' ? first.number : null;
  return reportRows(
    { repository, pipeline, sha, pullRequest },
    { repository, pipeline, sha, runId, pullRequest },
    at,
    at + delayMs,
  );
}

/**
 * A backfill says nothing about its commit: a hundred past dates are no news of it, and a bad one must not turn its check
 * red.
 */
function speaksForCommit({ trigger }: RunOpened): boolean {
  return firstTriggerOf(trigger).kind !== 'backfill';
}

/** The newest run of a pipeline that speaks for a commit; null where none does. */
export async function runThatSpeaks(
  journal: Pick<Journal, 'runs'>,
  place: { readonly repository: string; readonly pipeline: string; readonly sha: string },
): Promise<RunRow | null> {
  const limit = journalLimits.pageMax;
  let page = await journal.runs({ ...place, limit });
  for (;;) {
    const found = page.find(({ opened }) => speaksForCommit(opened));
    const last = page.at(-1);
    if (found !== undefined || last === undefined || page.length < limit) return found ?? null;
    page = await journal.runs({ ...place, before: last.id, limit });
  }
}

export interface RunlessReport {
  readonly repository: string;
  readonly pipeline: string;
  readonly sha: string;
  readonly pullRequest: number | null;
  /** Where the base branch of the pull request stood; null where there is none. */
  readonly baseSha: string | null;
  readonly state: ReportState;
  readonly summary: string;
  readonly problems: readonly Problem[];
  /** The run that speaks for this commit, where there is one. */
  readonly coveredBy: string | null;
}

/** Of a commit that leads to no run of the pipeline: a broken definition, a change that does not concern it. */
export function reportWithoutRun(report: RunlessReport, at: number): readonly Write[] {
  const body: JsonObject = {
    repository: report.repository,
    pipeline: report.pipeline,
    sha: report.sha,
    runId: null,
    pullRequest: report.pullRequest,
    baseSha: report.baseSha,
    state: report.state,
    summary: report.summary,
    problems: report.problems.map((problem) => ({
      ...problem,
      where: problem.where === null ? null : { ...problem.where },
    })),
    coveredBy: report.coveredBy,
  };
  const { repository, sha, pipeline, baseSha } = report;
  const note: Write[] =
    baseSha === null ? [] : [{ write: 'forge-object', key: baseKey(repository, sha, pipeline), id: baseSha, at }];
  return [...reportRows(report, body, at, at), ...note];
}

/** Of the note which base the newest pull request without a run of the pipeline has a commit compared with. */
export function baseKey(repository: string, sha: string, pipeline: string): string {
  return `base:${repository}:${sha}:${pipeline}`;
}

/** For the comment of the pipelines that report nothing on a pull request themselves. */
export interface ChangesAsked extends Pick<PullRequest, 'headSha' | 'baseSha' | 'baseBranch' | 'fork'> {
  readonly repository: string;
  readonly pullRequest: number;
}

/** Also keeps which base branch the head is compared with from now on. */
export function reportChanges(
  repository: string,
  { number: pullRequest, headSha, baseSha, baseBranch, fork }: PullRequest,
  at: number,
): Write {
  const asked: ChangesAsked = { repository, pullRequest, headSha, baseSha, baseBranch, fork };
  const key = changesKey(repository, pullRequest);
  return { write: 'outbox', key, kind: 'comment', body: { ...asked, pipeline: null }, at, dueAt: at };
}

/** No pipeline is called like that. */
export function changesKey(repository: string, pullRequest: number): string {
  return commentKey(repository, pullRequest, '');
}

/** Of the outbox row that holds the newest that was to be said of a pipeline on a pull request. */
export function commentKey(repository: string, pullRequest: number, pipeline: string): string {
  return `comment:${repository}:${pullRequest}:${pipeline}`;
}

/** Whether a comment was written about that head, or again when it came back. */
export function isToldOf({ body }: OutboxRow, headSha: string): boolean {
  return body['returnedTo'] === undefined ? body['sha'] === headSha : body['returnedTo'] === headSha;
}

/** Whoever sends a comment asks for the head: this has it sent anew. */
export function tellOf(row: OutboxRow, headSha: string, at: number): Write {
  return sendAgain({ ...row, body: { ...row.body, returnedTo: headSha } }, at);
}

/** What was said of a pipeline on the head, once more: about its new base branch. */
export async function tellAnew(
  journal: Pick<Journal, 'outboxRow'>,
  { repository, pipeline, sha, pullRequest }: Parameters<typeof reportRows>[0] & { readonly pullRequest: number },
  at: number,
): Promise<readonly Write[]> {
  const keys = [checkKey(repository, sha, pipeline), commentKey(repository, pullRequest, pipeline)];
  const rows = await Promise.all(keys.map((key) => journal.outboxRow(key)));
  return rows.flatMap((row) => (row === null ? [] : [sendAgain(row, at)]));
}

function sendAgain({ key, kind, body }: OutboxRow, at: number): Write {
  return { write: 'outbox', key, kind, body, at, dueAt: at };
}

/** Of the outbox row that holds the newest that was to be said of a commit. */
export function statusKey(repository: string, sha: string, pipeline: string): string {
  return `status:${repository}:${sha}:${pipeline}`;
}

function checkKey(repository: string, sha: string, pipeline: string): string {
  return `check:${repository}:${sha}:${pipeline}`;
}

function reportRows(
  about: {
    readonly repository: string;
    readonly pipeline: string;
    readonly sha: string;
    readonly pullRequest: number | null;
  },
  body: JsonObject,
  at: number,
  dueAt: number,
): readonly Write[] {
  const { repository, sha, pipeline } = about;
  const rows: Write[] = [
    { write: 'outbox', key: statusKey(repository, sha, pipeline), kind: 'status', body, at, dueAt },
    { write: 'outbox', key: checkKey(repository, sha, pipeline), kind: 'check', body, at, dueAt },
  ];
  if (about.pullRequest !== null) {
    const key = commentKey(repository, about.pullRequest, pipeline);
    rows.push({ write: 'outbox', key, kind: 'comment', body, at, dueAt });
  }
  return rows;
}

/** Asks for the decision on a promotion; see `promotion.ts`. */
export function settleLater({ id, repository }: Pick<EvaluationRow, 'id' | 'repository'>, at: number): Write {
  const body = { evaluationId: id, repository };
  return { write: 'outbox', key: `settle:${id}`, kind: 'settle', body, at, dueAt: at };
}
