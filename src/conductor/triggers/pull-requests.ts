/**
 * A pull request was opened or moved, or has another base branch: its head is looked at once beside each base, however often and
 * from wherever the news comes. The runs that a head has stay; what is told of them is about the base that it has now.
 */
import { isInVain, type PullRequest } from '../../forge/forge.ts';
import type { Sha } from '../../git/git.ts';
import type { Write } from '../../journal/journal.ts';
import type { Desk, Handled } from '../desk.ts';
import { judgeFork, type HeadLooked } from './forks.ts';
import { cancelClosed } from './gone.ts';
import { asksToSkip, matchPullRequest } from './match.ts';
import { openMatching } from './open-matching.ts';
import type { Project } from '../ports.ts';
import { settleMerged } from '../promotion.ts';
import { hasReplacedRun } from './returned.ts';
import { comparedWith, learnBase } from '../reports/changes.ts';
import { changesKey, commentKey, isToldOf, reportChanges, tellAnew, tellOf } from '../reports/report-writes.ts';
import { shaOf } from '../sha.ts';
import { problemReports } from './triggers.ts';
import { namesIn, versionsOf, type CommitVersions } from '../versions.ts';

export async function handlePullRequest(
  desk: Desk,
  project: Project,
  pullRequest: PullRequest,
  actor: string,
): Promise<Handled> {
  const sha = shaOf(pullRequest.headSha);
  const baseSha = shaOf(pullRequest.baseSha);
  if (sha === null || baseSha === null) return { state: 'ignored', note: 'not a SHA' };
  const { journal, clock } = desk.ports;
  const { number, baseBranch } = pullRequest;
  const lookedKey = `looked:${project.name}:${number}:${baseBranch}:${sha}`;
  const known = (await journal.trigger(lookedKey)) !== null;
  const before = await comparedWith(journal, { repository: project.name, pullRequest: number, headSha: sha });
  const isMoved = before !== null && before.baseBranch !== baseBranch;
  if (isMoved) {
    const late = await otherBase(project, pullRequest);
    if (late !== null) return late;
  }
  if (known && !isMoved && !(await hasReplacedRun(journal, project.name, pullRequest))) {
    await tellAgain(desk, project.name, pullRequest);
    return { state: 'done', note: 'known already' };
  }
  const here = await project.git.fetch();
  if (!here.ok) return { again: here.error.message };
  const news = { pullRequest, sha, baseSha, actor };
  const looked = pullRequest.fork ? await judgeFork(desk.ports, project, news) : await lookAtOwn(desk, project, news);
  if ('state' in looked || 'again' in looked) return looked;
  const { note, reports, isHere } = looked;
  const at = clock.now();
  const record: Write = { write: 'trigger-skipped', key: lookedKey, at, reason: note, coveredBy: null };
  const changes = isHere ? [reportChanges(project.name, pullRequest, at)] : [];
  await journal.commit([[...(known ? [] : [record]), ...reports, ...changes]]);
  return { state: 'done', note };
}

/** Of a branch here: its pipelines are compiled and run. */
async function lookAtOwn(desk: Desk, project: Project, news: HeadNews): Promise<HeadLooked | Handled> {
  const { pullRequest, sha, baseSha } = news;
  const ensured = await project.git.ensure(sha);
  if (!ensured.ok) return { again: ensured.error.message };
  const overtaken = await overtakenBy(project, pullRequest, sha);
  if (overtaken !== null) return { state: 'ignored', note: overtaken };
  const found = await versionsOf(desk.ports, project, sha);
  if (!found.ok) return { again: found.error };
  await learnBase(desk.ports, project, sha, baseSha);
  const place = { repository: project.name, sha, pullRequest: pullRequest.number };
  const [ranBefore] = await desk.ports.journal.runs({ ...place, limit: 1 });
  const opened = await open(desk, project, news, found.value);
  if ('again' in opened) return opened;
  const at = desk.ports.clock.now();
  const { versions } = found.value;
  const problems = problemReports({ ...place, baseSha }, versions, at);
  const anew = ranBefore === undefined ? [] : await tellAllAnew(desk, place, namesIn(versions), at);
  return { note: opened.note, reports: [...problems, ...anew], isHere: true };
}

interface HeadNews {
  readonly pullRequest: PullRequest;
  readonly sha: Sha;
  readonly baseSha: Sha;
  readonly actor: string;
}

/** What to do with news of a base branch that the pull request does not have now; null: it has it. */
async function otherBase(project: Project, { number, baseBranch }: PullRequest): Promise<Handled | null> {
  const now = await project.forge.pullRequest(number);
  if (!now.ok) return { again: now.error.message };
  if (now.value.baseBranch === baseBranch) return null;
  return { state: 'ignored', note: `the base branch of #${number} is ${now.value.baseBranch} by now` };
}

async function tellAllAnew(
  { ports }: Desk,
  about: Omit<Parameters<typeof tellAnew>[1], 'pipeline'>,
  pipelines: ReadonlySet<string>,
  at: number,
): Promise<readonly Write[]> {
  const told = [...pipelines].map((pipeline) => tellAnew(ports.journal, { ...about, pipeline }, at));
  return (await Promise.all(told)).flat();
}

/** A head that came back is known, and the comments are about the one between, its check runs perhaps about another base branch. */
async function tellAgain(desk: Desk, repository: string, pullRequest: PullRequest): Promise<void> {
  const { journal, clock } = desk.ports;
  const { number, headSha } = pullRequest;
  const at = clock.now();
  const writes: Write[] = [];
  const changes = await journal.outboxRow(changesKey(repository, number));
  const pipelines = namesIn((await journal.versions(repository, headSha)) ?? []);
  if (changes !== null && changes.body['headSha'] !== headSha) {
    const anew = await tellAllAnew(desk, { repository, sha: headSha, pullRequest: number }, pipelines, at);
    writes.push(reportChanges(repository, pullRequest, at), ...anew);
  }
  for (const pipeline of pipelines) {
    const told = await journal.outboxRow(commentKey(repository, number, pipeline));
    if (told !== null && !isToldOf(told, headSha)) writes.push(tellOf(told, headSha, at));
  }
  if (writes.length > 0) await journal.commit([writes]);
}

/** Why the head is not the pull request's any more, or null. */
async function overtakenBy(project: Project, pullRequest: PullRequest, sha: Sha): Promise<string | null> {
  const { headBranch, number } = pullRequest;
  const tip = await project.git.resolve(headBranch);
  if (!tip.ok) return tip.error.kind === 'missing' ? `the branch of #${number}, ${headBranch}, is gone` : null;
  if (tip.value === sha) return null;
  // The mirror may be behind the news.
  const behind = await project.git.isAncestor(tip.value, sha);
  return behind.ok && behind.value ? null : `#${number} is further on already`;
}

async function open(
  desk: Desk,
  project: Project,
  news: HeadNews,
  versions: CommitVersions,
): ReturnType<typeof openMatching> {
  const { pullRequest, sha, baseSha, actor } = news;
  const found = await changeOf(project, sha, baseSha);
  if ('again' in found) return found;
  const { number, headBranch, baseBranch } = pullRequest;
  return openMatching(desk, {
    project,
    versions,
    about: { repository: project.name, sha, pullRequest: number, baseSha },
    trigger: { kind: 'pull-request', number, branch: headBranch, baseBranch, baseSha, actor, fork: false },
    skip: asksToSkip(found.message),
    match: (definition, files) => matchPullRequest(definition, baseBranch, { paths: found.paths, ...files }),
  });
}

/** What the head changes since it left its base, and what its commit says. */
async function changeOf(
  project: Project,
  sha: Sha,
  baseSha: Sha,
): Promise<{ readonly paths: readonly string[]; readonly message: string } | { readonly again: string }> {
  const [base, commit] = await Promise.all([project.git.mergeBase(baseSha, sha), project.git.commit(sha)]);
  if (!commit.ok) return { again: commit.error.message };
  const paths = await project.git.changedPaths(base.ok ? base.value : null, sha);
  if (!paths.ok) return { again: paths.error.message };
  return { paths: paths.value, message: commit.value.message };
}

export async function handleClosed(desk: Desk, project: Project, pullRequest: PullRequest): Promise<Handled> {
  const { number, merged } = pullRequest;
  if (!merged) {
    // It may be open again: what is under way is needed then.
    const now = await project.forge.pullRequest(number);
    if (!now.ok && !isInVain(now.error)) return { again: now.error.message };
    const isClosed = now.ok && now.value.state === 'closed' && !now.value.merged;
    const cancelled = isClosed ? await cancelClosed(desk, project, number) : '';
    return { state: 'done', note: `#${number} was closed without a merge, and nothing is promoted${cancelled}` };
  }
  const writes = await settleMerged(desk.ports, project.name, number);
  await desk.ports.journal.commit([writes]);
  return { state: 'done', note: `#${number} was merged: ${writes.length} evaluations to decide on` };
}
