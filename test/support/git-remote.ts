/** Real repositories in temporary folders, for everything that is tested against Git. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseSha, type Sha } from '../../src/git/git.ts';

/** What a test may do to a remote behind the back of whoever mirrors it. */
export interface GitRemote {
  /** The path of a bare repository. */
  readonly path: string;
  /** Commits onto `branch` (made where it is not there); null removes a file. */
  commit(branch: string, files: Readonly<Record<string, string | null>>, message?: string): Sha;
  /** Moves a branch, forced; null removes it. */
  setBranch(branch: string, sha: Sha | null): void;
  tip(branch: string): Sha | null;
  /** Plain git on the remote; gives its output without the last line's end. */
  git(...argv: readonly string[]): string;
  gitWithInput(input: string | Buffer, ...argv: readonly string[]): string;
  /** Loses what no branch, tag or note reaches, as a server does in time. */
  collectGarbage(): void;
}

/** A folder that is removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'contender-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function sha(text: string): Sha {
  const parsed = parseSha(text);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

export function makeRemote(t: TestContext): GitRemote {
  const path = join(temporaryFolder(t), 'remote.git');
  gitIn('.', '', ['init', '--quiet', '--bare', '--initial-branch=main', path]);
  return adoptRemote(path);
}

/** An existing repository as a remote. */
export function adoptRemote(path: string): GitRemote {
  let time = 1_700_000_000;
  const git = (...argv: readonly string[]): string => gitIn(path, '', argv);
  const tip = (branch: string): Sha | null => {
    const found = git('for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`);
    return found === '' ? null : sha(found);
  };
  return {
    path,
    git,
    gitWithInput: (input, ...argv) => gitIn(path, input, argv),
    tip,
    commit(branch, files, message = 'A change') {
      const parent = tip(branch);
      const lines = [
        `commit refs/heads/${branch}`,
        `committer Mona <mona@example.com> ${(time += 60)} +0000`,
        data(message),
      ];
      if (parent !== null) lines.push(`from ${parent}`);
      for (const [file, text] of Object.entries(files)) {
        lines.push(text === null ? `D ${JSON.stringify(file)}` : `M 100644 inline ${JSON.stringify(file)}`);
        if (text !== null) lines.push(data(text));
      }
      gitIn(path, `${lines.join('\n')}\n`, ['fast-import', '--quiet', '--force']);
      const made = tip(branch);
      if (made === null) throw new Error(`${branch} was not made`);
      return made;
    },
    setBranch(branch, target) {
      git('update-ref', ...(target === null ? ['-d', `refs/heads/${branch}`] : [`refs/heads/${branch}`, target]));
    },
    collectGarbage() {
      git('reflog', 'expire', '--expire=now', '--all');
      git('gc', '--quiet', '--prune=now');
    },
  };
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

function gitIn(folder: string, input: string | Buffer, argv: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  const identity = { GIT_AUTHOR_NAME: 'Mona', GIT_AUTHOR_EMAIL: 'mona@example.com' };
  const committer = { GIT_COMMITTER_NAME: 'Mona', GIT_COMMITTER_EMAIL: 'mona@example.com' };
  const output = execFileSync('git', argv, {
    cwd: folder,
    input,
    env: { ...env, ...identity, ...committer },
    stdio: 'pipe',
  });
  return output.toString('utf8').replace(/\n$/, '');
}
