/** Which pipelines a push or pull request concerns: globs over branches, tags and changed paths. */
import { matchesGlob } from 'node:path/posix';
import type { PipelineDefinition } from '../pipeline/definition.ts';

/** `affected` false: the pipeline listens, but no changed path concerns it. Null: it does not listen at all. */
export type Match = { readonly affected: boolean } | null;

export function matchPush(
  definition: PipelineDefinition,
  ref: { readonly branch: string; readonly isDefault: boolean },
  paths: readonly string[],
): Match {
  const { push } = definition.on;
  if (push === null) return null;
  const listens =
    push.branches.length === 0 ? ref.isDefault : push.branches.some((glob) => matchesGlob(ref.branch, glob));
  return listens ? { affected: concerns(push.paths, paths) } : null;
}

export function matchPullRequest(definition: PipelineDefinition, baseBranch: string, paths: readonly string[]): Match {
  const { pullRequest } = definition.on;
  if (pullRequest === null) return null;
  const listens =
    pullRequest.branches.length === 0 || pullRequest.branches.some((glob) => matchesGlob(baseBranch, glob));
  return listens ? { affected: concerns(pullRequest.paths, paths) } : null;
}

/** A change of a pipeline's own definition always concerns it. */
function concerns(globs: readonly string[], paths: readonly string[]): boolean {
  if (globs.length === 0) return true;
  return paths.some((path) => path.startsWith('.pipelines/') || globs.some((glob) => matchesGlob(path, glob)));
}

/** `[skip ci]` or `[ci skip]`, in any case. */
export function asksToSkip(message: string): boolean {
  return /\[(?:skip ci|ci skip)\]/i.test(message);
}
