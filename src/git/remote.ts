/** What the remote has, asked without fetching. */
import { failure, success, type Result } from '../std/result.ts';
import { runGit } from './command.ts';
import { transferError } from './errors.ts';
import { parseSha, type GitError, type Sha } from './git.ts';
import type { Workshop } from './workshop.ts';

export interface RemoteRefs {
  /** Where HEAD points, or null where the remote is empty or its HEAD names no branch. */
  readonly defaultBranch: string | null;
  readonly branches: ReadonlyMap<string, Sha>;
}

/** Needs no turn: nothing is written. */
export async function remoteRefs(workshop: Workshop): Promise<Result<RemoteRefs, GitError>> {
  const setting = await workshop.transferSetting();
  if (!setting.ok) return setting;
  const { environment, secrets } = setting.value;
  const argv = ['ls-remote', '--quiet', '--symref', '--', workshop.remote.address, 'HEAD', 'refs/heads/*'];
  const outcome = await runGit({ argv, directory: workshop.directory, environment, timeMs: workshop.listTimeMs });
  if (outcome.kind === 'exited' && outcome.code === 0) return success(parseRefs(outcome.stdout.toString('utf8')));
  return failure(transferError('listing the branches', outcome, secrets));
}

/** Lines of `sha TAB ref`, and `ref: target TAB HEAD`. */
function parseRefs(text: string): RemoteRefs {
  const branches = new Map<string, Sha>();
  let defaultBranch: string | null = null;
  for (const line of text.split('\n')) {
    const [left = '', ref = ''] = line.split('\t');
    if (ref === 'HEAD' && left.startsWith('ref: refs/heads/')) defaultBranch = left.slice('ref: refs/heads/'.length);
    const sha = parseSha(left);
    if (sha.ok && ref.startsWith('refs/heads/')) branches.set(ref.slice('refs/heads/'.length), sha.value);
  }
  return { defaultBranch, branches };
}
