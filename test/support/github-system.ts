/**
 * A whole system beside a GitHub on loopback: webhooks go to its real server, Git over HTTP, an App's tokens, and every
 * request, answer and webhook is held to GitHub's schema. A person's clone pushes with the owner's token.
 */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  createFakeGitHub,
  type Comment,
  type FakeGitHub,
  type HookDelivery,
  type Status,
} from '../../src/demo/github/github.ts';
import { git as runGit } from '../../src/demo/github/bare.ts';
import { parseSha, type Sha } from '../../src/git/git.ts';
import type { EvaluationRow, EvaluationState } from '../../src/journal/journal.ts';
import type { ModelVersion } from '../../src/registry/registry.ts';
import { createServer } from '../../src/server/server.ts';
import type { Clock } from '../../src/std/clock.ts';
import { openTestSystem, type TestSystem } from './test-system.ts';

const owner = 'mona';
const repositoryName = 'models';
const webhookSecret = "It's a Secret to Everybody";

export interface GitHubSystem {
  readonly github: FakeGitHub;
  readonly system: TestSystem;
  readonly folder: string;
  /** Git in the clone. */
  git(...args: readonly string[]): Promise<string>;
  /** Commits files (null removes) on a branch, made from main where it is new, and pushes it. */
  push(branch: string, message: string, files: Readonly<Record<string, string | null>>): Promise<Sha>;
  /** The newest status of a pipeline on a commit, once it is no longer pending. */
  settled(sha: string, pipeline: string): Promise<Status>;
  /** The one comment of a pipeline on a pull request, once it has `text`. */
  comment(pullRequest: number, pipeline: string, text: RegExp): Promise<Comment>;
  evaluation(sha: string, state: EvaluationState): Promise<EvaluationRow>;
  champion(model: string): Promise<ModelVersion | null>;
  /** Every delivery so far was answered, and what it asked for was done, or decided not to be. */
  handled(): Promise<void>;
  /** Sends a webhook that GitHub made, under another id and whenever the test wants; gives the status of the answer. */
  deliver(hook: Pick<HookDelivery, 'event' | 'body'>, id?: string): Promise<number>;
  /** Of the webhooks so far, sent or not, the last one of that kind whose body has `text`. */
  hook(event: string, text: string): HookDelivery;
  readonly hookUrl: string;
  /** Of the server's pages. */
  readonly serverUrl: string;
  /** Sends webhooks, or none. */
  hooks(on: boolean): void;
  /** Sets the clock of everybody forward, and lets the server deliver what is due then. */
  passes(ms: number): Promise<void>;
  /** True when nothing waits to be said, and statuses are only looked at again; else null. */
  delivered(): Promise<true | null>;
  /** Ends the server and begins a new one on the same folder. */
  restart(): Promise<GitHubSystem>;
  /** Also proves that nobody broke GitHub's rules. */
  close(): Promise<void>;
}

export interface GitHubSystemOptions {
  /** How often GitHub is looked at, as a duration; an hour: webhooks alone. */
  readonly poll: string;
  readonly files?: Readonly<Record<string, string>>;
}

export async function openGitHubSystem(options: GitHubSystemOptions): Promise<GitHubSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'contender-github-'));
  await mkdir(join(folder, 'github'));
  let ahead = 0;
  const clock = { now: () => Date.now() + ahead };
  const github = await createFakeGitHub({
    directory: join(folder, 'github'),
    owner,
    name: repositoryName,
    webhookUrl: null,
    webhookSecret,
    users: [
      { login: 'grace', permission: 'write' },
      { login: 'wilhelmina-of-the-models', permission: 'write' },
      { login: 'stranger', permission: 'read' },
    ],
    app: { slug: 'contender' },
    validate: true,
    clock,
  });
  const clone = join(folder, 'clone');
  await mkdir(clone);
  const git = (...args: readonly string[]): Promise<string> =>
    runGit(clone, ['-c', 'user.name=Grace', '-c', 'user.email=grace@example.com', ...args]).then((text) => text.trim());
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', github.pushUrl);
  const files = { 'README.md': 'Models.\n', ...options.files };
  await commitAndPush(clone, git, 'main', 'Begin', files);
  await mkdir(join(folder, 'server'));
  await writeFile(
    join(folder, 'server', 'contender.yaml'),
    `repositories:
  - url: ${github.cloneUrl}
    github: { repository: ${owner}/${repositoryName}, apiUrl: "${github.url}" }
    poll: ${options.poll}
executor: { slots: 4 }
`,
  );
  const goOn = (ms: number): void => void (ahead += ms);
  return begin({ folder, clone, github, git, clock, goOn });
}

interface Place {
  readonly folder: string;
  readonly clone: string;
  readonly github: FakeGitHub;
  readonly git: (...args: readonly string[]) => Promise<string>;
  readonly clock: Clock;
  readonly goOn: (ms: number) => void;
}

async function begin(place: Place): Promise<GitHubSystem> {
  const { folder, clone, github, git, clock } = place;
  const { app } = github;
  assert.ok(app !== null);
  const system = await openTestSystem(
    { folder: join(folder, 'server') },
    {
      watch: true,
      url: 'http://127.0.0.1:8080',
      environment: {
        CONTENDER_GITHUB_APP_ID: String(app.id),
        CONTENDER_GITHUB_PRIVATE_KEY: app.privateKey,
        CONTENDER_WEBHOOK_SECRET: webhookSecret,
      },
      clock,
    },
  );
  const server = await createServer({
    ...system,
    apiToken: 'test',
    version: '0.0.0',
    log: { error: (fields, message) => void system.printed.push(`${message} ${JSON.stringify(fields)}`) },
  });
  const serverUrl = await server.listen({ host: '127.0.0.1', port: 0 });
  const hookUrl = `${serverUrl}/webhooks/${owner}/${repositoryName}`;
  const { journal } = system;
  await system.until('the first look at GitHub', async () =>
    (await journal.heads(system.repository)).size > 0 ? true : null,
  );
  const end = async (): Promise<void> => {
    await server.close();
    await system.close();
  };

  return {
    github,
    system,
    folder,
    git,
    hookUrl,
    serverUrl,
    hooks: (on) => github.setWebhook(on ? hookUrl : null),
    hook(event, text) {
      const found = github.deliveries().findLast((each) => each.event === event && each.body.includes(text));
      assert.ok(found !== undefined, `GitHub made no ${event} with ${text}`);
      return found;
    },
    deliver: (hook, id = randomUUID()) => deliver(hookUrl, hook, id),
    ...waits(place, system),
    push: (branch, message, files) => commitAndPush(clone, git, branch, message, files),
    async passes(ms) {
      place.goOn(ms);
      await system.conductor.outboxSettled();
    },
    async delivered() {
      const due = await system.journal.dueOutbox(Number.MAX_SAFE_INTEGER, 1000);
      return due.every(({ body }) => typeof body['toldAt'] === 'number') ? true : null;
    },
    async restart() {
      github.setWebhook(null);
      await github.hooksDelivered();
      await end();
      return begin(place);
    },
    async close() {
      github.setWebhook(null);
      await end();
      await github.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      assert.deepEqual(github.violations(), []);
    },
  };
}

async function deliver(
  url: string,
  { event, body }: Pick<HookDelivery, 'event' | 'body'>,
  id: string,
): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      'Content-Type': 'application/json',
      'X-GitHub-Event': event,
      'X-GitHub-Delivery': id,
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`,
    },
  });
  return answer.status;
}

type Waits = Pick<GitHubSystem, 'settled' | 'comment' | 'evaluation' | 'champion' | 'handled'>;

function waits({ github }: Place, system: TestSystem): Waits {
  const { journal } = system;
  return {
    settled: (sha, pipeline) =>
      system.until(`the final status of ${pipeline} on ${sha}`, async () => {
        const newest = github.statuses(sha).findLast(({ context }) => context === `contender/${pipeline}`);
        return newest === undefined || newest.state === 'pending' ? null : newest;
      }),
    async comment(pullRequest, pipeline, text) {
      const own = (): readonly Comment[] =>
        github.comments(pullRequest).filter(({ body }) => body.startsWith(`<!-- contender:${pipeline} -->`));
      const found = await system.until(`a comment of ${pipeline} with ${text}`, async () =>
        own().find(({ body }) => text.test(body)),
      );
      assert.equal(own().length, 1, 'one comment for each pipeline and pull request');
      return found;
    },
    evaluation: (sha, state) =>
      system.until(`an evaluation of ${sha} that is ${state}`, async () =>
        (await journal.evaluations({ sha, limit: 10 })).find((row) => row.state === state),
      ),
    async champion(model) {
      const found = await system.projects.get(system.repository)?.registry.champion(model);
      assert.ok(found?.ok === true, JSON.stringify(found));
      return found.value;
    },
    async handled() {
      await github.hooksDelivered();
      await system.until('the deliveries to be handled', async () =>
        (await journal.pendingDeliveries(1)).length === 0 ? true : null,
      );
    },
  };
}

async function commitAndPush(
  clone: string,
  git: GitHubSystem['git'],
  branch: string,
  message: string,
  files: Readonly<Record<string, string | null>>,
): Promise<Sha> {
  const known = await git('ls-remote', '--heads', 'origin', branch);
  if (known !== '') {
    await git('fetch', '--quiet', 'origin', branch);
    await git('checkout', '--quiet', '-B', branch, 'FETCH_HEAD');
  } else if (branch !== 'main') {
    await git('fetch', '--quiet', 'origin', 'main');
    await git('checkout', '--quiet', '-B', branch, 'FETCH_HEAD');
  }
  for (const [path, text] of Object.entries(files)) {
    const place = join(clone, path);
    await mkdir(dirname(place), { recursive: true });
    if (text === null) await rm(place);
    else await writeFile(place, text);
  }
  await git('add', '--all');
  await git('commit', '--quiet', '--allow-empty', '-m', message);
  await git('push', '--quiet', 'origin', branch);
  const sha = parseSha(await git('rev-parse', 'HEAD'));
  assert.ok(sha.ok);
  return sha.value;
}
