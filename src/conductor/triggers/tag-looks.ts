/**
 * A look at the tags of the remote: those that are new, or stand elsewhere than at the look before, go the way of their
 * webhook. Where they stood is kept beside the heads of the branches. The first look only notes it, and a tag that is gone is
 * forgotten.
 */
import type { Write } from '../../journal/journal.ts';
import type { Desk } from '../desk.ts';
import type { Intake } from './intake.ts';
import { tagPrefix } from './match.ts';
import { conductorLimits, type Project } from '../ports.ts';

/** `known`: where branches and tags stood. */
export async function lookAtTags(
  desk: Desk,
  intake: Intake,
  { project, tags, known }: { readonly project: Project; readonly tags: Refs; readonly known: Refs },
): Promise<void> {
  const moved = [...tags].filter(([tag, sha]) => known.get(`${tagPrefix}${tag}`) !== sha);
  const before = [...known.keys()].filter((ref) => ref.startsWith(tagPrefix)).map((ref) => ref.slice(tagPrefix.length));
  const gone = before.filter((tag) => !tags.has(tag)).map((tag): TagAt => [tag, null]);
  const { journal, clock } = desk.ports;
  const firstLook = `watched-tags:${project.name}`;
  if ((await journal.forgeObject(firstLook)) !== null) {
    await pushed(desk, intake, project, moved);
    return note(desk, project, gone);
  }
  await note(desk, project, [...moved, ...gone]);
  const at = clock.now();
  await journal.commit([[{ write: 'forge-object', key: firstLook, id: String(at), at }]]);
}

type Refs = ReadonlyMap<string, string>;
/** Null: it is gone. */
type TagAt = readonly [tag: string, sha: string | null];

async function note({ ports: { journal, clock } }: Desk, { name }: Project, tags: readonly TagAt[]): Promise<void> {
  const at = clock.now();
  const writes = tags.map(([tag, sha]): Write => {
    return { write: 'head', repository: name, branch: `${tagPrefix}${tag}`, sha, at };
  });
  for (let from = 0; from < writes.length; from += conductorLimits.tagsPerCommitMax)
    await journal.commit([writes.slice(from, from + conductorLimits.tagsPerCommitMax)]);
}

/** What waits, or is too much for one look, is found again by the next. */
async function pushed(desk: Desk, intake: Intake, project: Project, moved: readonly TagAt[]): Promise<void> {
  for (const [tag, after] of moved.slice(0, conductorLimits.tagsPerLookMax)) {
    const ref = `${tagPrefix}${tag}`;
    const handled = await intake.push(project, { type: 'push', ref, before: null, after, actor: 'unknown' });
    if ('again' in handled)
      desk.ports.log.warn({ repository: project.name, tag, reason: handled.again }, 'a tag found by polling waits');
  }
}
