/**
 * What the remote has, asked without fetching. The list is simple-git's: every argument here is a constant of ours or
 * the configured URL behind `--`, which is where that library is safe (docs/decisions/0003-git-by-argv.md). The flags
 * called unsafe are for our own values: an empty global configuration, the credentials' header, ssh in batch mode.
 */
import { simpleGit, type SimpleGit } from 'simple-git';
import { failure, success, type Result } from '../std/result.ts';
import type { Environment } from './environment.ts';
import { transferError } from './errors.ts';
import { parseSha, type GitError, type Sha } from './git.ts';
import { gitLimits } from './limits.ts';
import type { RemoteUrl } from './remote-url.ts';

export interface RemoteRefs {
  /** Where HEAD points, or null where the remote is empty. */
  readonly defaultBranch: string | null;
  readonly branches: ReadonlyMap<string, Sha>;
}

/** The oldest git that has every option in use (`cat-file --batch-command`). */
const oldestVersion = { major: 2, minor: 36 };

/** `directory` is the mirror: without it git would read the configuration of whatever repository we were started in. */
export async function listRemote(
  directory: string,
  remote: RemoteUrl,
  environment: Environment,
  secrets: readonly string[],
): Promise<Result<RemoteRefs, GitError>> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), gitLimits.commandTimeMs);
  try {
    const git = constantGit({ ...environment, GIT_DIR: directory }, ending);
    return success(parseRefs(await git.listRemote(['--symref', '--', remote.address, 'HEAD', 'refs/heads/*'])));
  } catch (error) {
    const stderr = error instanceof Error ? error.message : '';
    return failure(
      transferError('listing the branches', { kind: 'exited', code: 1, stdout: Buffer.alloc(0), stderr }, secrets),
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Whether git is there and new enough. */
export async function checkGitVersion(environment: Environment): Promise<Result<void, GitError>> {
  const found = await constantGit(environment, new AbortController()).version();
  const enough =
    found.major > oldestVersion.major || (found.major === oldestVersion.major && found.minor >= oldestVersion.minor);
  if (found.installed && enough) return success(undefined);
  const have = found.installed ? `git ${found.major}.${found.minor} is too old` : 'git is not installed';
  return failure({
    kind: 'refused',
    message: `${have}: ${oldestVersion.major}.${oldestVersion.minor} or newer is needed`,
  });
}

function constantGit(environment: Environment, ending: AbortController): SimpleGit {
  let bytes = 0;
  const names = Object.keys(environment).filter((name) => name.startsWith('GIT_'));
  return simpleGit({
    abort: ending.signal,
    allowEnvironment: names,
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeConfigEnvCount: true, allowUnsafeSshCommand: true },
  })
    .env({ ...environment })
    .outputHandler((_command, stdout) => {
      stdout.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > gitLimits.outputBytesMax) ending.abort();
      });
    });
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
