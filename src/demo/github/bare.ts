/** Git's plumbing on a bare repository: what a push changed, what a pull request would merge to, and merging it. */
import { spawn } from 'node:child_process';

export interface GitCommit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: GitPerson;
  readonly committer: GitPerson;
  readonly message: string;
}

export interface GitPerson {
  readonly name: string;
  readonly email: string;
  /** ISO 8601 with the zone's offset. */
  readonly date: string;
}

export interface GitOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** No configuration of the machine or of the person at it reaches these repositories. */
export function gitEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    ...more,
  };
}

export function tryGit(directory: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<GitOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['-C', directory, ...args], {
      env: gitEnvironment(more),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

export async function git(directory: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
  const outcome = await tryGit(directory, args, more);
  if (outcome.code !== 0) throw new Error(`git ${args.join(' ')} ended with ${outcome.code}: ${outcome.stderr}`);
  return outcome.stdout.trimEnd();
}

export async function createBare(directory: string): Promise<void> {
  const { code, stderr } = await tryGit('/', ['init', '--quiet', '--bare', '--initial-branch=main', directory]);
  if (code !== 0) throw new Error(stderr);
  for (const [name, value] of [
    ['http.receivepack', 'true'],
    ['uploadpack.allowAnySHA1InWant', 'true'],
    ['uploadpack.allowReachableSHA1InWant', 'true'],
    ['uploadpack.allowFilter', 'true'],
    ['receive.fsckObjects', 'true'],
    // GitHub: "deny updating a hidden ref".
    ['receive.hideRefs', 'refs/pull'],
    ['gc.auto', '0'],
    ['receive.autogc', 'false'],
  ] as const)
    await git(directory, ['config', name, value]);
}

/** Every ref and the object that it names. */
export async function refs(directory: string): Promise<ReadonlyMap<string, string>> {
  const lines = await git(directory, ['for-each-ref', '--format=%(refname) %(objectname)']);
  return new Map(
    lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [name = '', sha = ''] = line.split(' ');
        return [name, sha] as const;
      }),
  );
}

/** A full or short SHA, branch, tag or full ref, or null. */
export async function resolveCommit(directory: string, revision: string): Promise<string | null> {
  if (!/^[\w./@-]+$/.test(revision) || revision.startsWith('-')) return null;
  const names = [`refs/heads/${revision}`, `refs/tags/${revision}`, `refs/${revision}`];
  if (/^[0-9a-f]{4,40}$/.test(revision) || revision.startsWith('refs/') || revision === 'HEAD') names.unshift(revision);
  for (const name of names) {
    const { code, stdout } = await tryGit(directory, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
    if (code === 0) return stdout.trim();
  }
  return null;
}

export async function isAncestor(directory: string, ancestor: string, descendant: string): Promise<boolean> {
  return (await tryGit(directory, ['merge-base', '--is-ancestor', ancestor, descendant])).code === 0;
}

export async function mergeBase(directory: string, one: string, other: string): Promise<string | null> {
  const { code, stdout } = await tryGit(directory, ['merge-base', one, other]);
  return code === 0 ? stdout.trim() : null;
}

const commitFormat = '%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x01';

/** The commits of `range` (as for `git log`), newest first, at most `max`. */
export async function commits(directory: string, range: readonly string[], max: number): Promise<readonly GitCommit[]> {
  const output = await git(directory, ['log', `--max-count=${max}`, `--format=${commitFormat}`, ...range, '--']);
  return output
    .split('\u0001')
    .map((record) => record.replace(/^\n/, ''))
    .filter((record) => record !== '')
    .map(readCommit);
}

function readCommit(record: string): GitCommit {
  const [sha = '', tree = '', parents = '', an = '', ae = '', aI = '', cn = '', ce = '', cI = '', ...message] =
    record.split('\0');
  return {
    sha,
    tree,
    parents: parents === '' ? [] : parents.split(' '),
    author: { name: an, email: ae, date: aI },
    committer: { name: cn, email: ce, date: cI },
    message: message.join('\0').trimEnd(),
  };
}

export async function countCommits(directory: string, range: string): Promise<number> {
  return Number(await git(directory, ['rev-list', '--count', range]));
}

/** Paths by what became of them; `from` null stands for the empty tree. */
export async function changedFiles(
  directory: string,
  from: string | null,
  to: string,
): Promise<{ readonly added: string[]; readonly removed: string[]; readonly modified: string[] }> {
  const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
  const output = await git(directory, [
    'diff-tree',
    '-r',
    '-z',
    '--no-renames',
    '--name-status',
    from ?? emptyTree,
    to,
  ]);
  const changed = { added: [] as string[], removed: [] as string[], modified: [] as string[] };
  const fields = output.split('\0');
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [letter = '', path = ''] = [fields[at], fields[at + 1]];
    if (letter === 'A') changed.added.push(path);
    else if (letter === 'D') changed.removed.push(path);
    else changed.modified.push(path);
  }
  return changed;
}

export async function countLines(
  directory: string,
  from: string,
  to: string,
): Promise<{ readonly additions: number; readonly deletions: number; readonly files: number }> {
  const rows = (await git(directory, ['diff', '--numstat', '--no-renames', from, to]))
    .split('\n')
    .filter((line) => line !== '');
  const sum = (column: number): number =>
    rows.reduce((total, row) => total + (Number(row.split('\t')[column]) || 0), 0);
  return { additions: sum(0), deletions: sum(1), files: rows.length };
}

/** The tree that merging gives, or null where there are conflicts. */
export async function mergeTree(directory: string, base: string, head: string): Promise<string | null> {
  const { code, stdout, stderr } = await tryGit(directory, ['merge-tree', '--write-tree', base, head]);
  if (code === 0) return stdout.trim();
  if (code === 1) return null;
  throw new Error(`git merge-tree ended with ${code}: ${stderr}`);
}

export async function commitTree(
  directory: string,
  commit: {
    readonly tree: string;
    readonly parents: readonly string[];
    readonly message: string;
    readonly author: { readonly name: string; readonly email: string };
    readonly at: number;
  },
): Promise<string> {
  const date = `${Math.floor(commit.at / 1000)} +0000`;
  const parents = commit.parents.flatMap((parent) => ['-p', parent]);
  return git(directory, ['commit-tree', commit.tree, ...parents, '-m', commit.message], {
    GIT_AUTHOR_NAME: commit.author.name,
    GIT_AUTHOR_EMAIL: commit.author.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: 'GitHub',
    GIT_COMMITTER_EMAIL: 'noreply@github.com',
    GIT_COMMITTER_DATE: date,
  });
}

/** Compare-and-set; `expected` null: whatever it is. Gives whether it was done. */
export async function updateRef(
  directory: string,
  ref: string,
  sha: string,
  expected: string | null,
): Promise<boolean> {
  const args = ['update-ref', ref, sha, ...(expected === null ? [] : [expected])];
  return (await tryGit(directory, args)).code === 0;
}

export async function deleteRef(directory: string, ref: string): Promise<void> {
  await git(directory, ['update-ref', '-d', ref]);
}
