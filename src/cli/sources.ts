/** The pipelines of a folder as they stand in it, or of a commit of its repository. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { createCompiler } from '../compile/compiler.ts';
import {
  CompilerFailure,
  compileLimits,
  pipelinesFolder,
  type Compiled,
  type Compiler,
  type SourceFiles,
} from '../compile/compile.ts';
import { openMirror } from '../git/mirror.ts';
import type { GitRepository, Sha } from '../git/git.ts';
import { ProblemError } from '../std/problem.ts';
import { repositoryAround } from './project-folder.ts';
import { workingTree } from './working-tree.ts';

/** Compiles the folder, or the commit `ref` of the repository that it is. */
export async function compileFrom(directory: string, ref: string | null): Promise<readonly Compiled[]> {
  const compiler = await createCompiler();
  try {
    if (ref === null) return await compilePatiently(compiler, workingTree(directory));
    return await withMirror(directory, async (git) =>
      compilePatiently(compiler, commitFiles(git, await fetchAndResolve(git, ref, directory))),
    );
  } finally {
    await compiler.close();
  }
}

/** Compiles the commit at which `ref`, or what stands in the folder, left `against`: what a pull request is compared with. */
export async function compileLeft(
  directory: string,
  ref: string | null,
  against: string,
): Promise<readonly Compiled[]> {
  const compiler = await createCompiler();
  try {
    return await withMirror(directory, async (git) => {
      const base = await fetchAndResolve(git, against, directory, '--against');
      const head = await fetchAndResolve(git, ref ?? 'HEAD', directory);
      const left = await git.mergeBase(base, head);
      if (!left.ok) throw refUnknown(against, left.error.message, '--against');
      if (left.value === null)
        throw refUnknown(against, `it has no commit in common with ${ref ?? 'HEAD'}`, '--against');
      return compilePatiently(compiler, commitFiles(git, left.value));
    });
  } finally {
    await compiler.close();
  }
}

/** Again where the machine disturbed it, and no more often than a file that ends its sandbox needs to be found out. */
export async function compilePatiently(compiler: Compiler, source: SourceFiles): Promise<readonly Compiled[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await compiler.compile(source);
    } catch (error) {
      if (!(error instanceof CompilerFailure)) throw error;
      if (tries >= compileLimits.endingsMax) throw disturbed(error, tries);
    }
  }
}

function disturbed({ message }: CompilerFailure, tries: number): ProblemError {
  return new ProblemError({
    code: 'compilation-disturbed',
    message: `${pipelinesFolder} could not be compiled here in ${tries} tries, which says nothing about its files: ${message}`,
    where: null,
    help: 'See whether this machine is out of memory or processes, or very busy, and try again.',
  });
}

async function withMirror<T>(directory: string, use: (git: GitRepository) => Promise<T>): Promise<T> {
  mindRepository(directory);
  const folder = await mkdtemp(join(tmpdir(), 'contender-'));
  const git = openMirror({ url: directory, directory: join(folder, 'mirror.git') });
  try {
    return await use(git);
  } finally {
    await git.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Before anything is made on disk: a folder that is no repository. What is elsewhere is found out by fetching. */
export function mindRepository(url: string): void {
  if (!isAbsolute(url) || ['.git', 'HEAD'].some((name) => existsSync(join(url, name)))) return;
  const around = repositoryAround(url);
  const itself = 'Make it one (`git init`) and commit your pipelines, or name a repository in contender.yaml.';
  const top = `Move contender.yaml and .pipelines to the top of that repository, ${around}, and commit them.`;
  throw new ProblemError({
    code: 'repository-unreadable',
    message: `${url} is no Git repository${around === null ? '' : ', but a folder in one'}`,
    where: null,
    help: around === null ? itself : top,
  });
}

/** The commit that `ref` names now in the repository at `url`. Rejects with a `ProblemError`: `repository-unreadable`, `revision-unknown`. */
export async function fetchAndResolve(
  git: GitRepository,
  ref: string,
  url: string,
  option: RefOption = '--ref',
): Promise<Sha> {
  const fetched = await git.fetch();
  if (!fetched.ok) {
    throw new ProblemError({
      code: 'repository-unreadable',
      message: fetched.error.message,
      where: null,
      help: isAbsolute(url)
        ? 'See that it is a Git repository that this user may read, and that Git is here: git --version'
        : `See that the address in contender.yaml is right, and reached from here: git ls-remote ${url}`,
    });
  }
  const sha = await git.resolve(ref);
  if (!sha.ok) throw refUnknown(ref, sha.error.message, option);
  return sha.value;
}

function commitFiles(git: GitRepository, sha: Sha): SourceFiles {
  return {
    async list(folder) {
      const files = await git.files(sha, folder);
      if (!files.ok) throw refUnknown(sha, files.error.message);
      return files.value;
    },
    async read(paths) {
      const contents = await git.read(sha, paths);
      if (!contents.ok) throw refUnknown(sha, contents.error.message);
      return contents.value;
    },
  };
}

/** What gave a revision. */
type RefOption = '--ref' | '--against';

function refUnknown(ref: string, reason: string, option: RefOption = '--ref'): ProblemError {
  const what =
    option === '--ref'
      ? 'Commit what you want to run (git add . && git commit). Give HEAD, a branch, a tag or a commit id.'
      : 'Give a branch, a tag or a commit id.';
  return new ProblemError({
    code: 'revision-unknown',
    message: `${ref} cannot be read: ${reason}`,
    where: null,
    help: `${what} For anything else that Git can name: ${option} $(git rev-parse HEAD~1)`,
  });
}
