/**
 * A tag was made or moved: the pipelines that name it run the commit that it stands at, whatever changed there. A tag
 * that is deleted takes nothing back. Where it was seen is kept, so that no look at the tags tells of it again.
 */
import type { Write } from '../../journal/journal.ts';
import type { Desk, Handled } from '../desk.ts';
import { lookFirst } from './first-look.ts';
import { asksToSkip, matchTag, tagPrefix } from './match.ts';
import { openMatching } from './open-matching.ts';
import type { Project } from '../ports.ts';
import { shaOf } from '../sha.ts';
import { problemReports } from './triggers.ts';
import { versionsOf } from '../versions.ts';

export interface TagPush {
  readonly tag: string;
  /** The commit or, of an annotated tag, the tag's own object; null: the tag was deleted. */
  readonly after: string | null;
  readonly actor: string;
}

export async function handleTag(desk: Desk, project: Project, { tag, after, actor }: TagPush): Promise<Handled> {
  const looked = await lookFirst(desk, project, null);
  if (!looked.ok) return { again: looked.error };
  const object = shaOf(after);
  if (object === null) return { state: 'ignored', note: `the tag ${tag} was deleted` };
  const here = await project.git.fetch();
  if (!here.ok) return { again: here.error.message };
  const { journal, clock } = desk.ports;
  const ref = `${tagPrefix}${tag}`;
  const seen: Write = { write: 'head', repository: project.name, branch: ref, sha: object, at: clock.now() };
  // What the push spoke of: a branch may have the tag's name, and the tag may have moved on.
  const named = await project.git.resolve(object);
  if (!named.ok) {
    const note = `tag ${tag}: ${named.error.message}`;
    if (named.error.kind !== 'refused') return { again: note };
    await journal.commit([[seen]]);
    return { state: 'ignored', note };
  }
  const sha = named.value;
  const versions = await versionsOf(desk.ports, project, sha);
  if (!versions.ok) return { again: versions.error };
  const commit = await project.git.commit(sha);
  if (!commit.ok) return { again: commit.error.message };
  const about = { repository: project.name, sha, pullRequest: null, baseSha: null };
  const opened = await openMatching(desk, {
    project,
    versions: versions.value,
    about,
    trigger: { kind: 'push', branch: ref, actor },
    skip: asksToSkip(commit.value.message),
    match: (definition) => matchTag(definition, tag),
  });
  if ('again' in opened) return opened;
  const problems = opened.count > 0 ? problemReports(about, versions.value.versions, clock.now()) : [];
  await journal.commit([[seen, ...problems]]);
  return { state: 'done', note: opened.note };
}
