/**
 * Questions about the mirror's history, and git's version: through simple-git, which is safe where the arguments are
 * constants and proven ids, and good where the answer is a short text and no other process is started
 * (docs/decisions/0003-git-by-argv.md). The flag called unsafe is for our own empty configuration.
 */
import { simpleGit, type SimpleGit } from 'simple-git';
import { failure, success, type Result } from '../std/result.ts';
import { localEnvironment } from './environment.ts';
import { scrub } from './errors.ts';
import { parseSha, type GitError, type Sha } from './git.ts';
import { gitLimits } from './limits.ts';
import { messageOfError } from '../std/error-message.ts';

/** The oldest git that has every option in use (`cat-file --batch-command`). */
const oldestVersion = { major: 2, minor: 36 };

/** Whether git is there and new enough. */
export async function checkGitVersion(): Promise<Result<void, GitError>> {
  const asked = await ask(null, (git) => git.version());
  if (!asked.ok) return asked;
  const { installed, major, minor } = asked.value;
  const isEnough = major > oldestVersion.major || (major === oldestVersion.major && minor >= oldestVersion.minor);
  if (installed && isEnough) return success(undefined);
  const have = installed ? `git ${major}.${minor} is too old` : 'git is not installed';
  const message = `${have}: ${oldestVersion.major}.${oldestVersion.minor} or newer is needed`;
  return failure({ kind: 'refused', message });
}

/** The best common ancestor of two commits that are here, or null; that of a commit and its ancestor is the ancestor. */
export async function mergeBase(directory: string, one: Sha, other: Sha): Promise<Result<Sha | null, GitError>> {
  const asked = await ask(directory, (git) => git.raw(['merge-base', one, other]));
  if (!asked.ok) return asked;
  const text = asked.value.trim();
  return text === '' ? success(null) : parseSha(text);
}

async function ask<T>(
  directory: string | null,
  question: (git: SimpleGit) => Promise<T>,
): Promise<Result<T, GitError>> {
  const environment: Record<string, string> = { ...localEnvironment() };
  // Without it git would look around in whatever repository we were started in.
  if (directory !== null) environment['GIT_DIR'] = directory;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), gitLimits.commandTimeMs);
  const git = simpleGit({
    abort: abort.signal,
    allowEnvironment: Object.keys(environment).filter((name) => name.startsWith('GIT_')),
    unsafe: { allowUnsafeConfigPaths: true },
  }).env(environment);
  try {
    return success(await question(git));
  } catch (error) {
    return failure({ kind: 'refused', message: scrub(messageOfError(error)) });
  } finally {
    clearTimeout(timer);
  }
}
