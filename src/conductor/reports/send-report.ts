/** Outbox rows `status`, `check` and `comment`: reads the newest state and hands it to the forge. */
import { isInVain, type CommentReport, type ForgeError, type RunReport } from '../../forge/forge.ts';
import type { OutboxRow, Write } from '../../journal/journal.ts';
import type { JsonObject } from '../../std/json.ts';
import type { Result } from '../../std/result.ts';
import type { Carried } from './carried.ts';
import type { GitError } from '../../git/git.ts';
import { changeOf, changesOfOthers, learnBase } from './changes.ts';
import { conductorLimits, type ConductorPorts, type Project } from '../ports.ts';
import { runReportOf } from '../read.ts';
import { mentionsOf } from './mentions.ts';
import { runThatSpeaks, statusKey, type ChangesAsked } from './report-writes.ts';
import { shaOf } from '../sha.ts';
import { versionsOf } from '../versions.ts';
import { readChangesAsked, readRunlessReport } from '../stored.ts';

export async function sendStatus(ports: ConductorPorts, row: OutboxRow): Promise<Carried> {
  const found = await commitReportFor(ports, row);
  if (found === null) return { done: [] };
  const { toldAt } = row.body;
  const wasSet = typeof toldAt === 'number';
  const sent = await found.project.forge.setStatus(found.report, wasSet);
  const now = ports.clock.now();
  const again = found.project.forge.kind === 'github' ? lookAgain(row, wasSet ? toldAt : now, now) : [];
  return wasSet ? { done: again } : carried(sent, () => again);
}

/**
 * A forge may lose what it has taken, and others may set another status over ours: for a day it is looked at again, after five
 * minutes and then after as long again. The row is the one of the status, so that whatever is newer takes its place.
 */
function lookAgain({ key, kind, body }: OutboxRow, toldAt: number, now: number): readonly Write[] {
  const { statusLookMs, statusLooksMs } = conductorLimits;
  if (now - toldAt >= statusLooksMs) return [];
  const dueAt = Math.min(now + Math.max(statusLookMs, now - toldAt), toldAt + statusLooksMs);
  return [{ write: 'outbox', key, kind, body: { ...body, toldAt }, at: now, dueAt }];
}

export async function sendCheckRun(ports: ConductorPorts, row: OutboxRow): Promise<Carried> {
  const found = await commitReportFor(ports, row);
  if (found === null) return { done: [] };
  const { pullRequest } = row.body;
  const changed = await withChange(ports, found, typeof pullRequest === 'number' ? pullRequest : null);
  const report = { ...changed, mentions: await mentionsOf(ports, found.project, changed) };
  const sent = await found.project.forge.setCheckRun(report, await ports.journal.forgeObject(row.key));
  return carried(sent, (id) => remember(ports, row.key, id));
}

export async function sendComment(ports: ConductorPorts, row: OutboxRow): Promise<Carried> {
  const pullRequest = row.body['pullRequest'];
  if (row.body['pipeline'] === null) return sendChanges(ports, row);
  const asked = await reportFor(ports, row);
  if (asked === null || typeof pullRequest !== 'number') return { done: [] };
  const found = await aboutHead(ports, asked, pullRequest);
  if ('retry' in found) return found;
  const known = await ports.journal.forgeObject(row.key);
  const report = await withChange(ports, found, pullRequest);
  // That nothing runs is worth a status, and a comment only where an earlier one would mislead now, or the pipeline changes.
  const isNews = report.runId !== null || report.state !== 'neutral' || (report.change?.count ?? 0) > 0;
  if (known === null && !isNews) return { done: [] };
  return setComment(ports, found.project, report, { key: row.key, pullRequest, known });
}

/** The comment for pipelines that report nothing themselves, about the commit that the row was written for. */
async function sendChanges(ports: ConductorPorts, row: OutboxRow): Promise<Carried> {
  const asked = readChangesAsked(row.body);
  const project = asked === null ? undefined : ports.projects.get(asked.repository);
  if (asked === null || project === undefined) return { done: [] };
  const learnt = asked.fork ? await learnFork(ports, project, asked) : null;
  if (learnt !== null) return learnt;
  const report = await changesOfOthers(ports, project, asked);
  const known = await ports.journal.forgeObject(row.key);
  if (report === null || (known === null && report.changes.length === 0)) return { done: [] };
  const now = await project.forge.pullRequest(asked.pullRequest);
  if (!now.ok) return carried(now, () => []);
  // Of another head, another row tells.
  if (now.value.state !== 'open' || now.value.headSha !== asked.headSha) return { done: [] };
  return setComment(ports, project, report, { key: row.key, pullRequest: asked.pullRequest, known });
}

/** Nobody waits for what a stranger's pipelines are: they are compiled here, one head at a time, the newest of each pull request. */
async function learnFork(
  ports: ConductorPorts,
  project: Project,
  { headSha, baseSha }: ChangesAsked,
): Promise<Carried | null> {
  const [sha, base] = [shaOf(headSha), shaOf(baseSha)];
  if (sha === null || base === null) return { done: [] };
  const here = await project.git.ensure(sha, conductorLimits.forkBytesMax);
  if (!here.ok) return isGone(here.error) ? { done: [] } : { retry: here.error.message, retryAt: null };
  const versions = await versionsOf(ports, project, sha);
  if (!versions.ok) return { retry: versions.error, retryAt: null };
  await learnBase(ports, project, sha, base);
  return null;
}

function isGone({ kind }: GitError): boolean {
  return kind === 'missing' || kind === 'refused';
}

/** Kept of a comment that may be there, until its id is. */
const idUnknown = '';

interface CommentPlace {
  readonly key: string;
  readonly pullRequest: number;
  /** What is kept of it; null: there is none. */
  readonly known: string | null;
}

/**
 * That there may be a comment is kept before it is made: its id is lost with the answer, with the server, and when a newer
 * report takes the row meanwhile.
 */
async function setComment(
  ports: ConductorPorts,
  { forge }: Project,
  report: CommentReport,
  { key, pullRequest, known }: CommentPlace,
): Promise<Carried> {
  if (known === null) await ports.journal.commit([remember(ports, key, idUnknown)]);
  const sent = await forge.setComment(report, pullRequest, known === idUnknown ? null : known);
  return carried(sent, (id) => remember(ports, key, id));
}

async function withChange(
  ports: ConductorPorts,
  { project, report }: Found,
  pullRequest: number | null,
): Promise<RunReport> {
  return { ...report, change: await changeOf(ports, project, report, pullRequest) };
}

/**
 * The comment is one for all commits of a pull request: it is about the head, whichever of their runs ended last. Of a head
 * that led to no run it says why; the older commit stays only where nothing is known of the head.
 */
async function aboutHead(
  ports: ConductorPorts,
  asked: Found,
  pullRequest: number,
): Promise<Found | Extract<Carried, { retry: string }>> {
  const { project, report } = asked;
  const now = await project.forge.pullRequest(pullRequest);
  // One that is gone, or may not be seen, refuses the comment itself.
  if (!now.ok) return isInVain(now.error) ? asked : { retry: now.error.message, retryAt: now.error.retryAt };
  const { headSha } = now.value;
  const isHead = headSha === report.sha;
  if (isHead && report.runId !== null) return asked;
  const place = { repository: project.name, pipeline: report.pipeline, pullRequest, sha: headSha };
  const [run] = await ports.journal.runs({ ...place, limit: 1 });
  const ofRun = run === undefined ? null : await runReportOf(ports.journal, run.id, ports.runUrl(run.id));
  if (ofRun !== null) return { project, report: ofRun };
  if (isHead) return asked;
  const row = await ports.journal.outboxRow(statusKey(project.name, headSha, report.pipeline));
  const said = row === null ? null : await reportFor(ports, row);
  // A run of another change that goes on does not tell this comment of its end.
  const isFinal = said !== null && (said.report.runId === null || said.report.finishedAt !== null);
  return isFinal ? said : asked;
}

function remember(ports: ConductorPorts, key: string, id: string | null): readonly Write[] {
  return id === null ? [] : [{ write: 'forge-object', key, id, at: ports.clock.now() }];
}

function carried<T>(result: Result<T, ForgeError>, writes: (value: T) => readonly Write[]): Carried {
  if (result.ok) return { done: writes(result.value) };
  const { error } = result;
  if (error.kind === 'final') return { givenUp: error.message };
  if (error.kind === 'refused') return { refused: error.message };
  if (error.kind === 'early') return { early: error.message };
  return { retry: error.message, retryAt: error.retryAt };
}

interface Found {
  readonly project: Project;
  readonly report: RunReport;
}

/**
 * One change may lead to no run of a commit that another change has had run: whatever the run says stands, and is never
 * replaced by a report that there is none.
 */
async function commitReportFor(ports: ConductorPorts, row: OutboxRow): Promise<Found | null> {
  const found = await reportFor(ports, row);
  if (found === null || typeof row.body['runId'] === 'string') return found;
  const { project, report } = found;
  const { pipeline, sha } = report;
  const run = await runThatSpeaks(ports.journal, { repository: project.name, pipeline, sha });
  const spoken = run === null ? null : await runReportOf(ports.journal, run.id, ports.runUrl(run.id));
  return spoken === null ? found : { project, report: spoken };
}

async function reportFor(ports: ConductorPorts, row: OutboxRow): Promise<Found | null> {
  const { repository, runId } = row.body;
  const project = typeof repository === 'string' ? ports.projects.get(repository) : undefined;
  if (project === undefined) return null;
  const report =
    typeof runId === 'string'
      ? await runReportOf(ports.journal, runId, ports.runUrl(runId))
      : await runlessReport(ports, row.body);
  return report === null ? null : { project, report };
}

async function runlessReport(ports: ConductorPorts, body: JsonObject): Promise<RunReport | null> {
  const stored = readRunlessReport(body);
  if (stored === null) return null;
  const covering =
    stored.coveredBy === null
      ? null
      : await runReportOf(ports.journal, stored.coveredBy, ports.runUrl(stored.coveredBy));
  return {
    ...(covering ?? {
      steps: [],
      gates: [],
      challenges: [],
      startedAt: null,
      finishedAt: null,
      runId: null,
      runNumber: null,
      url: null,
    }),
    pipeline: stored.pipeline,
    sha: stored.sha,
    isAsked: true,
    state: stored.state,
    summary: stored.summary,
    problems: stored.problems,
    mentions: [],
    baseSha: stored.baseSha,
    change: null,
  };
}
