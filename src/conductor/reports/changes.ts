/**
 * What a pull request does to the definitions of pipelines: those of its head beside those of the commit at which it left its
 * base branch, as GitHub shows the change of files. So a base branch that moves on changes nothing of it. Both are read
 * from the journal; where the older ones are not there, nothing waits for them, and the report says so. A pull request may get
 * another base branch: what was compared last is kept, and counts for all that is told of the head from then on.
 */
import { firstTriggerOf } from '../../engine/event.ts';
import { changeSentences, diffVersions, pipelinesFolder } from '../../compile/compile.ts';
import type { ChangesReport, PipelineChange, PullRequest, RunReport } from '../../forge/forge.ts';
import type { Sha } from '../../git/git.ts';
import { journalLimits, type Journal, type VersionRow } from '../../journal/journal.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { namesOfBroken } from '../broken-files.ts';
import type { ConductorPorts, Project } from '../ports.ts';
import { shaOf } from '../sha.ts';
import { readChangesAsked } from '../stored.ts';
import { matchPullRequest } from '../triggers/match.ts';
import { namesIn, versionsOf } from '../versions.ts';
import { baseKey, changesKey, type ChangesAsked } from './report-writes.ts';

/** Of one pipeline; the rest is only counted. */
const sentencesMax = 50;

/** The commits that are compared, in a pull request. */
type Compared = Pick<PullRequest, 'headSha' | 'baseSha' | 'baseBranch' | 'fork'>;

/**
 * Compiles what the head is compared with, where nobody has, and gives the names of its pipelines. What cannot be read is no
 * reason to wait, and has none.
 */
export async function learnBase(
  ports: ConductorPorts,
  project: Project,
  sha: Sha,
  baseSha: Sha,
): Promise<ReadonlySet<string>> {
  const left = await leftAt(project, sha, baseSha);
  const versions = left === null ? null : await versionsOf(ports, project, left);
  return versions?.ok === true ? namesIn(versions.value.versions) : new Set();
}

/** The base branch that the head of a pull request was compared with last; null where another head was. */
export async function comparedWith(
  journal: Pick<Journal, 'outboxRow'>,
  { repository, pullRequest, headSha }: Pick<ChangesAsked, 'repository' | 'pullRequest' | 'headSha'>,
): Promise<Pick<ChangesAsked, 'baseSha' | 'baseBranch'> | null> {
  const row = await journal.outboxRow(changesKey(repository, pullRequest));
  const asked = row === null ? null : readChangesAsked(row.body);
  return asked?.headSha === headSha ? asked : null;
}

/** Of the pipeline that a report is about, on that pull request or, without one, on any; null where there is nothing to say. */
export async function changeOf(
  { journal }: Pick<ConductorPorts, 'journal'>,
  project: Project,
  report: Reported,
  pullRequest: number | null,
): Promise<PipelineChange | null> {
  const { pipeline, sha } = report;
  const baseSha = await baseOf(journal, project.name, report, pullRequest);
  if (baseSha === null) return null;
  const sides = await sidesOf(journal, project, sha, baseSha);
  return sides === null ? unknown(pipeline) : changeBetween(journal, pipeline, sides);
}

type Reported = Pick<RunReport, 'pipeline' | 'sha' | 'baseSha'>;

async function baseOf(
  journal: Journal,
  repository: string,
  report: Reported,
  pullRequest: number | null,
): Promise<string | null> {
  const asked =
    pullRequest === null
      ? await proposalOf(journal, repository, report)
      : { number: pullRequest, baseSha: report.baseSha };
  if (asked === null) return journal.forgeObject(baseKey(repository, report.sha, report.pipeline));
  const compared = await comparedWith(journal, { repository, pullRequest: asked.number, headSha: report.sha });
  return compared?.baseSha ?? asked.baseSha;
}

/** The newest pull request that had the pipeline run at a commit: one that is pushed as well has one check run for both. */
async function proposalOf(
  journal: Pick<Journal, 'runs'>,
  repository: string,
  { pipeline, sha }: Reported,
): Promise<{ readonly number: number; readonly baseSha: string } | null> {
  const runs = await journal.runs({ repository, pipeline, sha, limit: journalLimits.pageMax });
  const triggers = runs.map(({ opened }) => firstTriggerOf(opened.trigger));
  return triggers.find((trigger) => trigger.kind === 'pull-request') ?? null;
}

/** Of the pipelines that report nothing on the pull request themselves; null where it is not known what they were. */
export async function changesOfOthers(
  { journal }: Pick<ConductorPorts, 'journal'>,
  project: Project,
  compared: Compared,
): Promise<ChangesReport | null> {
  const { headSha: sha, baseSha } = compared;
  const sides = await sidesOf(journal, project, sha, baseSha);
  if (sides === null) return null;
  const { before, after } = sides;
  const changes: PipelineChange[] = [];
  for (const pipeline of new Set([...after.digests.keys(), ...before.digests.keys()])) {
    const digest = after.digests.get(pipeline);
    if (digest === before.digests.get(pipeline)) continue;
    if (digest !== undefined && (await reportsItself(journal, digest, compared))) continue;
    const change = await changeBetween(journal, pipeline, sides);
    if (change !== null && change.kind !== 'unknown') changes.push(change);
  }
  return { pipeline: null, sha, changes };
}

/** The pipelines of a commit. */
interface Side {
  readonly digests: ReadonlyMap<string, string>;
  /** Names under which its broken files are told of. */
  readonly broken: ReadonlySet<string>;
}

interface Sides {
  readonly before: Side;
  readonly after: Side;
}

async function sidesOf(journal: Journal, project: Project, head: string, base: string): Promise<Sides | null> {
  const [sha, baseSha] = [shaOf(head), shaOf(base)];
  const left = sha === null || baseSha === null ? null : await leftAt(project, sha, baseSha);
  if (sha === null || left === null) return null;
  const [before, after] = [await journal.versions(project.name, left), await journal.versions(project.name, sha)];
  return before === null || after === null ? null : { before: sideOf(before), after: sideOf(after) };
}

function sideOf(versions: readonly VersionRow[]): Side {
  const digests = versions.flatMap(({ pipeline, digest }): [string, string][] =>
    pipeline === null || digest === null ? [] : [[pipeline, digest]],
  );
  return { digests: new Map(digests), broken: new Set(namesOfBroken(versions).values()) };
}

/** Where the head left its base branch. */
async function leftAt({ git }: Project, sha: Sha, baseSha: Sha): Promise<Sha | null> {
  const found = await git.mergeBase(baseSha, sha);
  return found.ok ? found.value : null;
}

async function changeBetween(
  journal: Journal,
  pipeline: string,
  { before, after }: Sides,
): Promise<PipelineChange | null> {
  const [oldDigest, newDigest] = [before.digests.get(pipeline), after.digests.get(pipeline)];
  // Of a file that is broken now, its report tells.
  if (oldDigest === newDigest || (newDigest === undefined && mayHold(after, pipeline))) return null;
  if (oldDigest === undefined && mayHold(before, pipeline)) return unknown(pipeline);
  const [base, head] = [await definitionOf(journal, oldDigest), await definitionOf(journal, newDigest)];
  const difference = diffVersions(base, head);
  const { kind, weakened } = difference;
  if (kind === 'same') return null;
  const { sentences, count } = changeSentences(difference, sentencesMax);
  return { pipeline, kind, weakened, sentences, count };
}

/** Whether a broken file may define it. Where there are too many files, any. */
function mayHold({ broken }: Side, pipeline: string): boolean {
  return broken.has(pipeline) || broken.has(pipelinesFolder);
}

async function reportsItself(journal: Journal, digest: string, { baseBranch, fork }: Compared): Promise<boolean> {
  // A stranger's change has this one comment, however many pipelines it changes.
  if (fork) return false;
  const definition = await journal.definition(digest);
  if (definition === null) return false;
  return matchPullRequest(definition, baseBranch, { paths: [], file: '', files: new Set() }) !== null;
}

function definitionOf(journal: Journal, digest: string | undefined): Promise<PipelineDefinition | null> {
  return digest === undefined ? Promise.resolve(null) : journal.definition(digest);
}

function unknown(pipeline: string): PipelineChange {
  return { pipeline, kind: 'unknown', weakened: [], sentences: [], count: 0 };
}
