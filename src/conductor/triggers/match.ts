/** Which pipelines a push, pull request or end of a run concerns: globs over branches, tags and changed paths. */
import { matchesGlob } from 'node:path/posix';
import type { EndTrigger, PipelineDefinition } from '../../pipeline/definition.ts';

/** `affected` false: the pipeline listens, but no changed path concerns it. Null: it does not listen at all. */
export type Match = { readonly affected: boolean } | null;

export interface Change {
  readonly paths: readonly string[];
  /** The file that the pipeline is defined in. */
  readonly file: string;
  /** The files of all pipelines of the commit, the broken ones too. */
  readonly files: ReadonlySet<string>;
}

/** What stands before a tag's name where a branch's would stand: in a run's trigger. */
export const tagPrefix = 'refs/tags/';

export function matchPush(
  definition: PipelineDefinition,
  ref: { readonly branch: string; readonly isDefault: boolean },
  change: Change,
): Match {
  const { push } = definition.on;
  if (push === null) return null;
  // Who names tags alone means no branch.
  const listens =
    push.branches.length === 0
      ? ref.isDefault && push.tags.length === 0
      : push.branches.some((glob) => matchesGlob(ref.branch, glob));
  return listens ? { affected: concerns(push.paths, change) } : null;
}

/** A tag is no change, so paths do not narrow it. */
export function matchTag(definition: PipelineDefinition, tag: string): Match {
  const isMeant = definition.on.push?.tags.some((glob) => matchesGlob(tag, glob)) ?? false;
  return isMeant ? { affected: true } : null;
}

export function matchPullRequest(definition: PipelineDefinition, baseBranch: string, change: Change): Match {
  const { pullRequest } = definition.on;
  if (pullRequest === null) return null;
  const listens =
    pullRequest.branches.length === 0 || pullRequest.branches.some((glob) => matchesGlob(baseBranch, glob));
  return listens ? { affected: concerns(pullRequest.paths, change) } : null;
}

/** Whether the end of a run on that branch is meant. */
export function matchEnd(
  { branches }: EndTrigger,
  { branch, isDefault }: { readonly branch: string; readonly isDefault: boolean },
): boolean {
  return branches.length === 0 ? isDefault : branches.some((glob) => matchesGlob(branch, glob));
}

/** A change of a pipeline's own definition always concerns it, and so does what definitions may share. */
function concerns(globs: readonly string[], { paths, file, files }: Change): boolean {
  if (globs.length === 0) return true;
  return paths.some(
    (path) =>
      path === file ||
      (path.startsWith('.pipelines/') && !files.has(path)) ||
      globs.some((glob) => matchesGlob(path, glob)),
  );
}

/** `[skip ci]` or `[ci skip]`, in any case. */
export function asksToSkip(message: string): boolean {
  return /\[(?:skip ci|ci skip)\]/i.test(message);
}
