/** What the remote has, asked without fetching. */
import { failure, success, type Result } from '../std/result.ts';
import { runGit } from './command.ts';
import { transferError } from './errors.ts';
import { parseSha, type GitError, type Sha } from './git.ts';
import type { Workshop } from './workshop.ts';

export interface ListedRefs {
  /** Where HEAD points, or null where the remote is empty or its HEAD names no branch. */
  readonly defaultBranch: string | null;
  readonly branches: ReadonlyMap<string, Sha>;
  /** Commits or, of annotated tags, the tags' own objects. */
  readonly tags: ReadonlyMap<string, string>;
}

/** Needs no turn: nothing is written. Without `withTags` there are none. */
export async function remoteRefs(workshop: Workshop, withTags = false): Promise<Result<ListedRefs, GitError>> {
  const setting = await workshop.transferSetting();
  if (!setting.ok) return setting;
  const { environment, secrets } = setting.value;
  const patterns = ['HEAD', 'refs/heads/*', ...(withTags ? ['refs/tags/*'] : [])];
  const argv = ['ls-remote', '--quiet', '--symref', '--', workshop.remote.address, ...patterns];
  const outcome = await runGit({ argv, directory: workshop.directory, environment, timeMs: workshop.listTimeMs });
  if (outcome.kind === 'exited' && outcome.code === 0) return success(parseRefs(outcome.stdout.toString('utf8')));
  return failure(transferError('listing the branches', outcome, secrets));
}

/** Lines of `sha TAB ref`, `ref: target TAB HEAD`, and `sha TAB ref^{}` for what an annotated tag leads to. */
function parseRefs(text: string): ListedRefs {
  const tags = new Map<string, string>();
  const branches = new Map<string, Sha>();
  let defaultBranch: string | null = null;
  for (const line of text.split('\n')) {
    const [left = '', ref = ''] = line.split('\t');
    if (ref === 'HEAD' && left.startsWith('ref: refs/heads/')) defaultBranch = left.slice('ref: refs/heads/'.length);
    const sha = parseSha(left);
    if (sha.ok && ref.startsWith('refs/heads/')) branches.set(ref.slice('refs/heads/'.length), sha.value);
    if (sha.ok && ref.startsWith('refs/tags/') && !ref.endsWith('^{}'))
      tags.set(ref.slice('refs/tags/'.length), sha.value);
  }
  return { defaultBranch, branches, tags };
}
