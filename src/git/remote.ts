/** What the remote has, asked without fetching. */
import { failure, success, type Result } from '../std/result.ts';
import { runGit } from './command.ts';
import { transferError } from './errors.ts';
import { parseSha, type GitError, type RemoteRefs, type Sha } from './git.ts';
import { gitLimits } from './limits.ts';
import type { Workshop } from './workshop.ts';

export interface RemoteHead {
  /** Where HEAD points, or null where the remote is empty or its HEAD names no branch. */
  readonly defaultBranch: string | null;
  readonly branches: ReadonlyMap<string, Sha>;
}

/** Needs no turn: nothing is written. Git has the remote name all of its refs for this: patterns hold on this side alone. */
export async function remoteHead(workshop: Workshop): Promise<Result<RemoteHead, GitError>> {
  const listed = await listRefs(workshop, ['--symref'], ['HEAD', 'refs/heads/*']);
  if (!listed.ok) return listed;
  const branches = new Map<string, Sha>();
  let defaultBranch: string | null = null;
  for (const [left, ref] of linesOf(listed.value)) {
    if (ref === 'HEAD' && left.startsWith('ref: '))
      defaultBranch = nameBelow('refs/heads/', left.slice('ref: '.length));
    addRef(branches, 'refs/heads/', left, ref);
  }
  return success({ defaultBranch, branches });
}

/** What counts as the default branch: a working copy whose HEAD is on a commit names none. */
export function usualBranch({ defaultBranch, branches }: RemoteHead): string | null {
  return defaultBranch ?? ['main', 'master'].find((usual) => branches.has(usual)) ?? null;
}

/** Needs no turn either. The remote names these alone, and no pull requests. Without `withTags` there are no tags. */
export async function remoteRefs(
  workshop: Workshop,
  withTags: boolean,
): Promise<Result<Omit<RemoteRefs, 'defaultBranch'>, GitError>> {
  const listed = await listRefs(workshop, ['--refs', '--heads', ...(withTags ? ['--tags'] : [])], []);
  if (!listed.ok) return listed;
  const branches = new Map<string, Sha>();
  const tags = new Map<string, Sha>();
  for (const [left, ref] of linesOf(listed.value)) {
    addRef(branches, 'refs/heads/', left, ref);
    if (tags.size <= gitLimits.tagsMax) addRef(tags, 'refs/tags/', left, ref);
  }
  if (tags.size <= gitLimits.tagsMax) return success({ branches, tags: success(tags) });
  const message = `the repository has more than ${gitLimits.tagsMax} tags`;
  return success({ branches, tags: failure({ kind: 'refused', message }) });
}

async function listRefs(
  workshop: Workshop,
  options: readonly string[],
  patterns: readonly string[],
): Promise<Result<Buffer, GitError>> {
  const setting = await workshop.transferSetting();
  if (!setting.ok) return setting;
  const { environment, secrets } = setting.value;
  const argv = ['ls-remote', '--quiet', ...options, '--', workshop.remote.address, ...patterns];
  const outcome = await runGit({ argv, directory: workshop.directory, environment, timeMs: workshop.listTimeMs });
  if (outcome.kind === 'exited' && outcome.code === 0) return success(outcome.stdout);
  return failure(transferError('listing the branches', outcome, secrets));
}

/** Of `sha TAB ref` and `ref: target TAB HEAD`: both sides, in strings of their own, so that none keeps the whole text. */
function* linesOf(output: Buffer): Generator<readonly [left: string, ref: string]> {
  for (let start = 0, end = 0; start < output.length; start = end + 1) {
    end = output.indexOf('\n', start);
    if (end < 0) end = output.length;
    const [left = '', ref = ''] = output.toString('utf8', start, end).split('\t');
    yield [left, ref];
  }
}

function addRef(refs: Map<string, Sha>, folder: string, left: string, ref: string): void {
  const name = nameBelow(folder, ref);
  const sha = parseSha(left);
  if (name !== null && sha.ok) refs.set(name, sha.value);
}

function nameBelow(folder: string, ref: string): string | null {
  return ref.startsWith(folder) ? ref.slice(folder.length) : null;
}
