/**
 * A repository seen for the first time: where its branches stand is noted, and nothing runs for what was there before.
 * Whoever comes first looks, polling or a push by webhook; the branch that the push moved is noted where it stood before.
 */
import type { Sha } from '../../git/git.ts';
import type { Write } from '../../journal/journal.ts';
import { failure, success, type Result } from '../../std/result.ts';
import type { Desk } from '../desk.ts';
import type { Project } from '../ports.ts';
import { defaultBranchKey } from '../read.ts';
import { shaOf } from '../sha.ts';

export interface Moved {
  readonly branch: string;
  readonly before: string | null;
}

/** True where this was the first look. The error is a sentence about Git. */
export async function lookFirst(desk: Desk, project: Project, moved: Moved | null): Promise<Result<boolean, string>> {
  const { journal, clock } = desk.ports;
  const key = `watched:${project.name}`;
  if ((await journal.forgeObject(key)) !== null) return success(false);
  const fetched = await project.git.fetch();
  if (!fetched.ok) return failure(fetched.error.message);
  const refs = await project.git.remoteRefs();
  if (!refs.ok) return failure(refs.error.message);
  const at = clock.now();
  const known = await journal.heads(project.name);
  const heads = new Map<string, Sha>(known.size === 0 ? refs.value.branches : []);
  if (moved !== null) {
    const before = shaOf(moved.before);
    heads.delete(moved.branch);
    if (before !== null && known.size === 0) heads.set(moved.branch, before);
  }
  await journal.commit([
    [
      { write: 'forge-object', key, id: String(at), at },
      defaultBranchWrite(project.name, refs.value.defaultBranch, at),
      ...[...heads].map(([branch, sha]): Write => ({ write: 'head', repository: project.name, branch, sha, at })),
    ],
  ]);
  desk.headMoved(project.name);
  return success(true);
}

/** For pages and for servers that stand by, which do not ask the remote. Null: it has none. */
export function defaultBranchWrite(repository: string, branch: string | null, at: number): Write {
  return { write: 'head', repository, branch: defaultBranchKey, sha: branch ?? '', at };
}
