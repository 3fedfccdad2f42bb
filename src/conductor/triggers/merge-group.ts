/**
 * A merge queue tries pull requests out together, on a branch of its own that the forge makes and deletes, before they
 * come to the branch that they are for. Their checks are required there, so whoever listens to pull requests runs there
 * too. It is a push like any other, by webhook or polling; its commit is not merged, whatever comes of it.
 */
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { Sha } from '../../git/git.ts';
import { failure, type Result } from '../../std/result.ts';
import { matchPullRequest, matchPush, type Change, type Match } from './match.ts';
import type { Project } from '../ports.ts';
import { shaOf } from '../sha.ts';

export interface MergeGroup {
  /** That it will be merged into. */
  readonly baseBranch: string;
  /** What it stands on: the base branch, or the group before it. Null where the name does not tell. */
  readonly baseSha: Sha | null;
}

/** Null: a branch of people. */
export function mergeGroupOf(branch: string): MergeGroup | null {
  const [, baseBranch, base] = /^gh-readonly-queue\/(.+)\/pr-\d+-([^/]+)$/.exec(branch) ?? [];
  return baseBranch === undefined ? null : { baseBranch, baseSha: shaOf(base ?? null) };
}

/** Who listens to the branch itself, or to pull requests of its base. */
export function matchGroup(
  definition: PipelineDefinition,
  branch: string,
  { baseBranch }: MergeGroup,
  change: Change,
): Match {
  const pushed = matchPush(definition, { branch, isDefault: false }, change);
  return pushed?.affected === true ? pushed : (matchPullRequest(definition, baseBranch, change) ?? pushed);
}

/** What the group changes. A base that is gone makes every path a changed one. */
export async function pathsOfGroup(
  { git }: Project,
  { baseBranch, baseSha }: MergeGroup,
  sha: Sha,
): Promise<Result<readonly string[], string>> {
  const tip = await git.resolve(baseBranch);
  const from = baseSha ?? (tip.ok ? tip.value : null);
  const base = from === null ? null : await git.mergeBase(from, sha);
  const paths = await git.changedPaths(base?.ok === true ? base.value : null, sha);
  return paths.ok ? paths : failure(paths.error.message);
}
