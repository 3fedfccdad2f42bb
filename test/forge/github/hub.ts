/** A GitHub forge on our fake of GitHub, which holds every request and answer to GitHub's published schema. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFakeGitHub, type FakeGitHub } from '../../../src/demo/github/github.ts';
import type { Forge } from '../../../src/forge/forge.ts';
import { createGitHubForge } from '../../../src/forge/github/github.ts';
import { secret, valueOf } from './forge-under-test.ts';

const run = promisify(execFile);

export interface Hub {
  readonly fake: FakeGitHub;
  readonly forge: Forge;
  /** That of a server which has just started. */
  readonly anotherForge: () => Forge;
  readonly work: string;
  readonly sha: string;
  readonly pullRequest: number;
  readonly close: () => Promise<void>;
}

/** A commit on `main`, one on `topic` with an open pull request, and a forge that comes with a token or as the App. */
export async function startHub(kind: 'token' | 'app'): Promise<Hub> {
  const directory = await mkdtemp(join(tmpdir(), 'contender-forge-'));
  const fake = await createFakeGitHub({
    directory,
    owner: 'octo',
    name: 'churn',
    webhookUrl: null,
    webhookSecret: secret,
    users: [{ login: 'ada', permission: 'write' }],
    app: { slug: 'contender-ci' },
    validate: true,
  });
  const work = join(directory, 'work');
  await git(directory, 'init', '--quiet', '--initial-branch=main', work);
  await commitAndPush(work, fake.pushUrl, 'main');
  const sha = await commitAndPush(work, fake.pushUrl, 'topic');
  const pull = await fake.openPullRequest({ head: 'topic', base: 'main', title: 'More data', user: 'ada' });
  assert.ok(fake.app !== null);
  const auth =
    kind === 'token'
      ? ({ kind, token: fake.token } as const)
      : ({ kind, appId: fake.app.id, privateKey: fake.app.privateKey } as const);
  const anotherForge = (): Forge =>
    valueOf(
      createGitHubForge({
        repository: 'octo/churn',
        apiUrl: fake.url,
        auth,
        webhookSecrets: [secret],
        clock: { now: () => Date.now() },
      }),
    );
  const close = async (): Promise<void> => {
    await fake.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { fake, forge: anotherForge(), anotherForge, work, sha, pullRequest: pull.number, close };
}

export async function git(cwd: string, ...parameters: string[]): Promise<string> {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false'];
  const { stdout } = await run('git', [...identity, ...parameters], {
    cwd,
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_TERMINAL_PROMPT: '0' },
  });
  return stdout.trim();
}

export async function commitAndPush(work: string, url: string, branch: string): Promise<string> {
  await git(work, 'commit', '--quiet', '--allow-empty', '-m', `A commit on ${branch}`);
  await git(work, 'push', '--quiet', url, `HEAD:refs/heads/${branch}`);
  return git(work, 'rev-parse', 'HEAD');
}
