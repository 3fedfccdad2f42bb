/** A GitHub on loopback, a receiver of its webhooks, and somebody's clone with one commit pushed to main. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { Octokit } from '@octokit/rest';
import { createFakeGitHub, type FakeGitHub, type FakeGitHubOptions } from '../../src/demo/github/github.ts';

export interface Received {
  readonly event: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface SetUp {
  readonly github: FakeGitHub;
  readonly clone: string;
  readonly directory: string;
  readonly received: readonly Received[];
  /** The first commit of main. */
  readonly first: string;
}

export const secret = "It's a Secret to Everybody";

export async function setUp(t: TestContext, options: Partial<FakeGitHubOptions> = {}): Promise<SetUp> {
  const directory = await mkdtemp(join(tmpdir(), 'fake-github-'));
  const receiver = await receive();
  await mkdir(join(directory, 'github'));
  const github = await createFakeGitHub({
    directory: join(directory, 'github'),
    owner: 'ada',
    name: 'birds',
    webhookUrl: receiver.url,
    webhookSecret: secret,
    users: [
      { login: 'grace', permission: 'write' },
      { login: 'mallory', permission: 'read' },
      { login: 'nobody', permission: 'none' },
    ],
    app: { slug: 'contender' },
    validate: true,
    ...options,
  });
  t.after(async () => {
    await github.close();
    receiver.close();
    await rm(directory, { recursive: true });
  });
  const clone = join(directory, 'clone');
  await git(directory, 'init', '--quiet', '--initial-branch=main', clone);
  const first = await commit(clone, 'README.md', 'birds\n');
  await git(clone, 'remote', 'add', 'origin', github.pushUrl);
  await git(clone, 'push', '--quiet', 'origin', 'main');
  return { github, clone, directory, received: receiver.received, first };
}

async function receive(): Promise<{ readonly url: string; readonly received: Received[]; close(): void }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ event: String(request.headers['x-github-event']), headers: request.headers, body });
      response.writeHead(202).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks/github`,
    received,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const run = promisify(execFile);

export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
  const { stdout } = await run('git', ['-C', directory, ...identity, ...args], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' },
  });
  return stdout.trim();
}

/** Writes a file and commits it; gives the SHA. */
export async function commit(clone: string, path: string, text: string): Promise<string> {
  await mkdir(dirname(join(clone, path)), { recursive: true });
  await writeFile(join(clone, path), text);
  await git(clone, 'add', path);
  await git(clone, 'commit', '--quiet', '-m', `Write ${path}`);
  return git(clone, 'rev-parse', 'HEAD');
}

/** A branch from main with one commit, pushed. */
export async function pushBranch(
  clone: string,
  branch: string,
  path = `${branch}.txt`,
  text = branch,
): Promise<string> {
  await git(clone, 'checkout', '--quiet', '-B', branch, 'main');
  const sha = await commit(clone, path, text);
  await git(clone, 'push', '--quiet', '--force', 'origin', branch);
  return sha;
}

export function octokitOf(github: FakeGitHub, token: string): Octokit {
  const quiet = (): void => undefined;
  return new Octokit({
    baseUrl: github.url,
    auth: token,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
}

export const repository = { owner: 'ada', repo: 'birds' } as const;

/** The status of the error with which `promise` fails. */
export async function statusOf(promise: Promise<unknown>): Promise<number> {
  try {
    await promise;
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'status' in error) return Number(error.status);
    throw error;
  }
  return 200;
}
