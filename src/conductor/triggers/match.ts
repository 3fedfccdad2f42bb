/** Which pipelines a push, pull request or end of a run concerns: globs over branches, tags and changed paths. */
import type { EndTrigger, PipelineDefinition } from '../../pipeline/definition.ts';
import { globsOf } from '../../std/glob.ts';

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
    push.branches.length === 0 ? ref.isDefault && push.tags.length === 0 : isOneOf(push.branches, ref.branch);
  return listens ? { affected: concerns(push.paths, change) } : null;
}

/** A tag is no change, so paths do not narrow it. */
export function matchTag(definition: PipelineDefinition, tag: string): Match {
  return isOneOf(definition.on.push?.tags ?? [], tag) ? { affected: true } : null;
}

export function matchPullRequest(definition: PipelineDefinition, baseBranch: string, change: Change): Match {
  const { pullRequest } = definition.on;
  if (pullRequest === null) return null;
  const listens = pullRequest.branches.length === 0 || isOneOf(pullRequest.branches, baseBranch);
  return listens ? { affected: concerns(pullRequest.paths, change) } : null;
}

/** Whether the end of a run on that branch is meant. */
export function matchEnd(
  { branches }: EndTrigger,
  { branch, isDefault }: { readonly branch: string; readonly isDefault: boolean },
): boolean {
  return branches.length === 0 ? isDefault : isOneOf(branches, branch);
}

/** A change of a pipeline's own definition always concerns it, and so does what definitions may share. */
function concerns(globs: readonly string[], { paths, file, files }: Change): boolean {
  if (globs.length === 0) return true;
  // Where it would take too long to say that none is meant, one is.
  const meant = globsOf(globs, true);
  return paths.some(
    (path) => path === file || (path.startsWith('.pipelines/') && !files.has(path)) || meant.match(path),
  );
}

function isOneOf(globs: readonly string[], name: string): boolean {
  return globsOf(globs, false).match(name);
}

/** `[skip ci]` or `[ci skip]`, in any case. */
export function asksToSkip(message: string): boolean {
  return /\[(?:skip ci|ci skip)\]/i.test(message);
}
