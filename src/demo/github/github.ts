/**
 * A GitHub on loopback that really answers: Git over HTTP, the API that we call, signed webhooks, pages to look at. The
 * demo tells its story with it and tests are held to it, so it follows GitHub's rules where we could break them (limits,
 * permissions, who may write a check run) and, when asked, holds every request, answer and webhook to GitHub's published
 * schema.
 */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Clock } from '../../std/clock.ts';
import { createAccess } from './access.ts';
import { apiPath, handleUnknown, serveApi, type LoggedRequest } from './api.ts';
import { createBare, git } from './bare.ts';
import { addComment, editComment } from './comments.ts';
import type { Core, Refusal } from './core.ts';
import { createFaults, type Fault } from './faults.ts';
import { serveGit } from './git-server.ts';
import { createHooks, type HookDelivery } from './hooks.ts';
import { servePages } from './pages/pages.ts';
import { closePull, mergePull, mustFindUser, openPull, reopenPull } from './pulls.ts';
import { loadSchemaChecks } from './schema.ts';
import { createShapes } from './shapes.ts';
import type { App, CheckRun, Comment, Permission, Pull, Repository, Status, User, World } from './world.ts';

export type { Annotation, CheckRun, Comment, Permission, Pull, Reaction, Status, StatusState, User } from './world.ts';
export type { Fault, FaultAnswer } from './faults.ts';
export type { HookDelivery } from './hooks.ts';
export type { LoggedRequest } from './api.ts';

export interface FakeGitHubOptions {
  /** Where the bare repositories are made; must exist. */
  readonly directory: string;
  readonly owner: string;
  readonly name: string;
  /** Where webhooks go; null: nowhere, until `setWebhook`. */
  readonly webhookUrl: string | null;
  readonly webhookSecret: string;
  /** The owner need not be among them: an admin. */
  readonly users: readonly FakeUser[];
  /** An App installed for the repository; without it there are no check runs. */
  readonly app?: { readonly slug: string; readonly permissions?: { readonly [name: string]: 'read' | 'write' } };
  /** Private unless said otherwise: reading needs a token too. */
  readonly isPrivate?: boolean;
  readonly clock?: Clock;
  /** Hold everything to GitHub's schema. Needs ajv, a dependency of development: a clone has it, an installation not. */
  readonly validate: boolean;
}

export interface FakeUser {
  readonly login: string;
  readonly name?: string;
  readonly permission: Permission;
  readonly type?: 'User' | 'Bot';
}

export interface FakeGitHub {
  /** Base of the API, as @octokit takes it: `http://127.0.0.1:4000/api/v3`. */
  readonly url: string;
  /** `http://127.0.0.1:4000` */
  readonly webUrl: string;
  readonly cloneUrl: string;
  /** `cloneUrl` with the owner's token in it, for a plain `git push`. */
  readonly pushUrl: string;
  /** The owner's token, scope `repo`. */
  readonly token: string;
  readonly app: {
    readonly id: number;
    readonly installationId: number;
    readonly privateKey: string;
    readonly botLogin: string;
  } | null;
  /** A new token of a person; scopes as GitHub names them, `['repo']` unless given. */
  tokenOf(login: string, scopes?: readonly string[]): string;
  expireInstallationTokens(): void;
  /** A fork of the repository under the person's name. */
  fork(login: string): Promise<{ readonly cloneUrl: string; readonly pushUrl: string }>;

  openPullRequest(wanted: {
    readonly head: string;
    readonly base: string;
    readonly title: string;
    readonly user: string;
    readonly body?: string;
  }): Promise<Pull>;
  mergePullRequest(number: number, user: string, method?: 'merge' | 'squash'): Promise<string>;
  closePullRequest(number: number, user: string): Promise<void>;
  reopenPullRequest(number: number, user: string): Promise<void>;
  comment(number: number, user: string, body: string): Comment;
  editComment(id: number, user: string, body: string): void;
  /** A person presses "Re-run" beside a check run. */
  rerequestCheckRun(id: number, user: string): void;

  pullRequests(): readonly Pull[];
  /** Oldest first. */
  statuses(sha: string): readonly Status[];
  checkRuns(sha: string): readonly CheckRun[];
  comments(number: number): readonly Comment[];
  requests(): readonly LoggedRequest[];
  /** Breaches of the schema and calls of endpoints that are not there. */
  violations(): readonly string[];

  inject(fault: Fault): void;
  clearFaults(): void;
  /** Sets where webhooks go; sends the ping that GitHub sends then. */
  setWebhook(url: string | null): void;
  deliveries(): readonly HookDelivery[];
  redeliver(id: string): Promise<void>;
  /** Until every webhook so far was answered or given up. */
  hooksDelivered(): Promise<void>;
  close(): Promise<void>;
}

/** GitHub keeps some more; a test that needs them says so. */
const appPermissions = {
  metadata: 'read',
  contents: 'write',
  statuses: 'write',
  checks: 'write',
  pull_requests: 'write',
  issues: 'write',
} as const;

export async function createFakeGitHub(options: FakeGitHubOptions): Promise<FakeGitHub> {
  const made = createWorld(options);
  const { world } = made;
  await createBare(world.repository.directory);
  const access = createAccess(world);
  const checks = options.validate ? await loadSchemaChecks() : null;
  const violations: string[] = [];
  const violation = (message: string): void => void violations.push(message);
  const hooks = createHooks({ url: options.webhookUrl, secret: options.webhookSecret, checks, violation });
  const faults = createFaults();
  const log: LoggedRequest[] = [];
  const server = createServer();
  // The addresses are known once the port is: everything that needs them asks when it is asked.
  const places = { api: '', web: '' };
  const core: Core = { world, hooks, places, shapes: createShapes(world, places) };
  const api = { core, access, faults, checks, log, violation };
  serveApi(server, api);
  serveGit(server, core, access);
  servePages(server, core);
  server.setNotFoundHandler((request, reply) =>
    request.url.startsWith(apiPath)
      ? handleUnknown(api, request, reply)
      : reply.code(404).type('text/plain').send('Not Found\n'),
  );
  places.web = await server.listen({ host: '127.0.0.1', port: 0 });
  places.api = places.web + apiPath;

  const { owner } = world.repository;
  const token = access.personalToken(owner, ['repo']);
  const cloneUrl = `${places.web}/${options.owner}/${options.name}.git`;
  return {
    url: places.api,
    webUrl: places.web,
    cloneUrl,
    pushUrl: withToken(cloneUrl, token),
    token,
    app: made.app,
    tokenOf: (login, scopes = ['repo']) => access.personalToken(mustFindUser(core, login), scopes),
    expireInstallationTokens: () => access.expireInstallationTokens(),
    async fork(login) {
      const fork = await createFork(core, options.directory, mustFindUser(core, login));
      const url = `${places.web}/${login}/${fork.name}.git`;
      return { cloneUrl: url, pushUrl: withToken(url, access.personalToken(fork.owner, ['repo'])) };
    },
    ...people(core),
    pullRequests: () => world.pulls,
    statuses: (sha) => world.statuses.filter((status) => status.sha === sha),
    checkRuns: (sha) => world.checkRuns.filter((check) => check.sha === sha),
    comments: (number) => world.comments.filter((comment) => comment.pull === number),
    requests: () => log,
    violations: () => violations,
    inject: (fault) => faults.inject(fault),
    clearFaults: () => faults.clear(),
    setWebhook: (url) => setWebhook(core, url),
    deliveries: () => hooks.deliveries(),
    redeliver: (id) => hooks.redeliver(id),
    hooksDelivered: () => hooks.idle(),
    async close() {
      await hooks.close();
      server.server.closeAllConnections();
      await server.close();
    },
  };
}

function withToken(url: string, token: string): string {
  return url.replace('://', `://x-access-token:${token}@`);
}

function createWorld(options: FakeGitHubOptions): { readonly world: World; readonly app: FakeGitHub['app'] } {
  const clock = options.clock ?? { now: () => Date.now() };
  let id = 1000;
  const nextId = (): number => (id += 1);
  const user = ({ login, name, permission, type }: FakeUser): User => ({
    id: nextId(),
    login,
    name: name ?? login,
    permission,
    type: type ?? 'User',
  });
  const users = new Map<string, User>();
  const given = options.users.some(({ login }) => login === options.owner)
    ? options.users
    : [{ login: options.owner, permission: 'admin' } as const, ...options.users];
  for (const each of given) users.set(each.login.toLowerCase(), user(each));
  const owner = users.get(options.owner.toLowerCase());
  if (owner === undefined) throw new Error('the owner is among the users');
  const repository: Repository = {
    id: nextId(),
    owner,
    name: options.name,
    directory: join(options.directory, options.owner, `${options.name}.git`),
    isPrivate: options.isPrivate ?? true,
    isFork: false,
    createdAt: clock.now(),
  };
  const made = options.app === undefined ? null : createApp(options.app, nextId);
  if (made !== null) users.set(made.app.bot.login.toLowerCase(), made.app.bot);
  const world = {
    clock,
    users,
    repository,
    forks: new Map(),
    app: made?.app ?? null,
    pulls: [],
    statuses: [],
    checkRuns: [],
    comments: [],
    knownCommits: new Set<string>(),
    nextId,
  };
  return { world, app: made?.login ?? null };
}

function createApp(
  wanted: NonNullable<FakeGitHubOptions['app']>,
  nextId: () => number,
): { readonly app: App; readonly login: NonNullable<FakeGitHub['app']> } {
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const botLogin = `${wanted.slug}[bot]`;
  const app: App = {
    id: nextId(),
    slug: wanted.slug,
    installationId: nextId(),
    bot: { id: nextId(), login: botLogin, name: wanted.slug, type: 'Bot', permission: 'none' },
    permissions: wanted.permissions ?? appPermissions,
    publicKey: keys.publicKey,
  };
  return { app, login: { id: app.id, installationId: app.installationId, privateKey: keys.privateKey, botLogin } };
}

async function createFork(core: Core, directory: string, owner: User): Promise<Repository> {
  const { world } = core;
  const fork: Repository = {
    ...world.repository,
    id: world.nextId(),
    owner,
    directory: join(directory, owner.login, `${world.repository.name}.git`),
    isFork: true,
    createdAt: world.clock.now(),
  };
  await createBare(fork.directory);
  await git(fork.directory, ['fetch', '--quiet', world.repository.directory, '+refs/heads/*:refs/heads/*']);
  world.forks.set(owner.login.toLowerCase(), fork);
  return fork;
}

function setWebhook(core: Core, url: string | null): void {
  core.hooks.setUrl(url);
  if (url === null) return;
  const { shapes, world } = core;
  core.hooks.emit('ping', {
    zen: 'Keep it logically awesome.',
    hook_id: 1,
    hook: {
      type: 'Repository',
      id: 1,
      name: 'web',
      active: true,
      events: ['push', 'pull_request', 'issue_comment', 'check_run'],
      config: { url, content_type: 'json', insecure_ssl: '0' },
      created_at: new Date(world.clock.now()).toISOString(),
      updated_at: new Date(world.clock.now()).toISOString(),
    },
    repository: shapes.repository(world.repository),
    sender: shapes.user(world.repository.owner),
  });
}

/** JSON is read by us (an empty body is none); what Git sends is left alone, for the stream. */
function createServer(): FastifyInstance {
  const server = Fastify({
    bodyLimit: 25 * 1024 * 1024,
    routerOptions: { maxParamLength: 500 },
    forceCloseConnections: true,
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    if (text === '') return done(null, undefined);
    try {
      done(null, JSON.parse(String(text)));
    } catch {
      done(Object.assign(new Error('Problems parsing JSON'), { statusCode: 400 }));
    }
  });
  server.addContentTypeParser('*', (_request, _payload, done) => done(null));
  return server;
}

type People = Pick<
  FakeGitHub,
  | 'openPullRequest'
  | 'mergePullRequest'
  | 'closePullRequest'
  | 'reopenPullRequest'
  | 'comment'
  | 'editComment'
  | 'rerequestCheckRun'
>;

/** What people do in the browser. What GitHub would refuse is thrown: in a story or a test it is a slip. */
function people(core: Core): People {
  const pull = (number: number): Pull =>
    must(
      core.world.pulls.find((each) => each.number === number),
      `pull request ${number}`,
    );
  return {
    async openPullRequest({ user, ...wanted }) {
      return granted(await openPull(core, { ...wanted, author: mustFindUser(core, user) }));
    },
    async mergePullRequest(number, user, method = 'merge') {
      return granted(await mergePull(core, pull(number), { by: mustFindUser(core, user), method }));
    },
    closePullRequest: (number, user) => closePull(core, pull(number), mustFindUser(core, user)),
    async reopenPullRequest(number, user) {
      granted(await reopenPull(core, pull(number), mustFindUser(core, user)));
    },
    comment: (number, user, body) =>
      granted(addComment(core, pull(number), { author: mustFindUser(core, user), viaApp: false, body })),
    editComment(id, user, body) {
      const comment = must(
        core.world.comments.find((each) => each.id === id),
        `comment ${id}`,
      );
      granted(editComment(core, comment, body, mustFindUser(core, user)));
    },
    rerequestCheckRun(id, user) {
      const check = must(
        core.world.checkRuns.find((each) => each.id === id),
        `check run ${id}`,
      );
      core.hooks.emit('check_run', {
        action: 'rerequested',
        check_run: core.shapes.checkRun(check),
        repository: core.shapes.repository(core.world.repository),
        sender: core.shapes.user(mustFindUser(core, user)),
      });
    },
  };
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}`);
  return value;
}

function granted<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Refusal },
): T {
  if (result.ok) return result.value;
  const details = (result.error.errors ?? []).map(({ message, field, code }) => message ?? `${field ?? ''} ${code}`);
  throw new Error([result.error.message, ...details].join(': '));
}
