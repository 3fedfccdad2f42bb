/** A push: a hint that a branch or tag may stand elsewhere. What it stands at, and what is new there, Git says. */
import type { ForgeEvent } from '../../forge/forge.ts';
import type { Sha } from '../../git/git.ts';
import { success, type Result } from '../../std/result.ts';
import type { Desk, Handled } from '../desk.ts';
import { lookFirst } from './first-look.ts';
import { handleDeleted } from './gone.ts';
import { asksToSkip, matchPush, tagPrefix } from './match.ts';
import { matchGroup, mergeGroupOf, pathsOfGroup } from './merge-group.ts';
import { openMatching } from './open-matching.ts';
import type { Project } from '../ports.ts';
import { shaOf } from '../sha.ts';
import { handleTag } from './tag-pushes.ts';
import { problemReports } from './triggers.ts';
import { versionsOf, type CommitVersions } from '../versions.ts';

export type PushEvent = Extract<ForgeEvent, { type: 'push' }>;

/** Branches that we write ourselves. */
const ownBranchPrefix = 'contender/';

export async function handlePush(desk: Desk, project: Project, event: PushEvent): Promise<Handled> {
  if (event.ref.startsWith(tagPrefix))
    return handleTag(desk, project, { ...event, tag: event.ref.slice(tagPrefix.length) });
  const branch = /^refs\/heads\/(.+)$/.exec(event.ref)?.[1];
  if (branch === undefined) return { state: 'ignored', note: `${event.ref} is neither a branch nor a tag` };
  if (branch.startsWith(ownBranchPrefix)) return { state: 'ignored', note: 'our own branch' };
  const { journal } = desk.ports;
  const looked = await lookFirst(desk, project, { branch, before: event.before });
  if (!looked.ok) return { again: looked.error };
  const sha = shaOf(event.after);
  if (sha === null) return handleDeleted(desk, project, branch);
  const here = await project.git.fetch();
  if (!here.ok) return { again: here.error.message };
  const ensured = await project.git.ensure(sha);
  if (!ensured.ok) return { again: `commit ${sha.slice(0, 7)}: ${ensured.error.message}` };
  const head = await journal.head(project.name, branch);
  const overtaken = await overtakenBy(project, branch, sha, head);
  if (overtaken !== null) return { state: 'ignored', note: overtaken };
  const versions = await versionsOf(desk.ports, project, sha);
  if (!versions.ok) return { again: versions.error };
  // What was looked at last is the better base: pushes between may have gone unnoticed. A head that stands at this commit
  // already was only noted, by the first look at the repository, or the push is told a second time: triggers have keys.
  const before = head === null || head === sha ? event.before : head;
  return open(desk, project, { branch, sha, before, actor: event.actor }, versions.value);
}

/** Why news about `sha` are old, or null. The tip itself never is, though a force push may have brought it back. */
async function overtakenBy(project: Project, branch: string, sha: Sha, head: string | null): Promise<string | null> {
  const tip = await project.git.resolve(branch);
  if (tip.ok && tip.value === sha) return null;
  const headSha = shaOf(head);
  if (headSha !== null && (await isAncestor(project, sha, headSha))) return `${branch} is further on already`;
  if (!tip.ok) return tip.error.kind === 'missing' ? `${branch} is gone already` : null;
  const related = (await isAncestor(project, sha, tip.value)) || (await isAncestor(project, tip.value, sha));
  return related ? null : `${branch} was forced to another commit`;
}

async function isAncestor(project: Project, one: Sha, other: Sha): Promise<boolean> {
  const found = await project.git.isAncestor(one, other);
  return found.ok && found.value;
}

async function open(
  desk: Desk,
  project: Project,
  push: { readonly branch: string; readonly sha: Sha; readonly before: string | null; readonly actor: string },
  versions: CommitVersions,
): Promise<Handled> {
  const { branch, sha } = push;
  const { journal, clock } = desk.ports;
  const group = mergeGroupOf(branch);
  const [defaultBranch, commit, changed] = await Promise.all([
    project.git.defaultBranch(),
    project.git.commit(sha),
    group === null ? changedPaths(project, push.before, sha) : pathsOfGroup(project, group, sha),
  ]);
  if (!commit.ok) return { again: commit.error.message };
  if (!changed.ok) return { again: changed.error };
  const paths = changed.value;
  const isDefault = defaultBranch.ok && defaultBranch.value === branch;
  const about = { repository: project.name, sha, pullRequest: null, baseSha: null };
  const opened = await openMatching(desk, {
    project,
    versions,
    about,
    trigger: { kind: 'push', branch, actor: push.actor },
    skip: asksToSkip(commit.value.message),
    match: (definition, files) =>
      group === null
        ? matchPush(definition, { branch, isDefault }, { paths, ...files })
        : matchGroup(definition, branch, group, { paths, ...files }),
  });
  if ('again' in opened) return opened;
  const at = clock.now();
  const problems = isDefault || group !== null || opened.count > 0 ? problemReports(about, versions.versions, at) : [];
  await journal.commit([[{ write: 'head', repository: project.name, branch, sha, at }, ...problems]]);
  if (isDefault) desk.headMoved(project.name);
  return { state: 'done', note: opened.note };
}

/** A base that is gone (a force push) makes every path a changed one. */
async function changedPaths(
  project: Project,
  before: string | null,
  sha: Sha,
): Promise<Result<readonly string[], string>> {
  const paths = await project.git.changedPaths(shaOf(before), sha);
  if (paths.ok) return paths;
  const files = await project.git.files(sha, '');
  return success(files.ok ? files.value.map((file) => file.path) : []);
}
