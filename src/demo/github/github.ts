/**
 * A GitHub on loopback that really answers: Git over HTTP, the API that we call, signed webhooks, pages to look at. The
 * demo tells its story with it and tests are held to it, so it follows GitHub's rules where we could break them (limits,
 * permissions, who may write a check run) and, when asked, holds every request, answer and webhook to GitHub's published
 * schema.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import { createAccess } from './access.ts';
import { apiPath, handleUnknown, serveApi, type LoggedRequest } from './api.ts';
import { createBare } from './bare.ts';
import type { Core } from './core.ts';
import { createFork, createWorld, type AppLogin, type WorldOptions } from './create-world.ts';
import { createFaults, type Fault } from './faults.ts';
import { serveGit } from './git-server.ts';
import { createHooks, type HookDelivery } from './hooks.ts';
import { servePages } from './pages/pages.ts';
import { createPeople, type People } from './people.ts';
import { mustFindUser } from './pulls.ts';
import { loadSchemaChecks } from './schema.ts';
import { createShapes } from './shapes.ts';
import type { CheckRun, Comment, Pull, Status } from './world.ts';

export type { CheckRun, Comment, Pull, Status } from './world.ts';
export type { Fault } from './faults.ts';
export type { HookDelivery } from './hooks.ts';
export type { LoggedRequest } from './api.ts';

export interface FakeGitHubOptions extends WorldOptions {
  /** Where webhooks go; null: nowhere, until `setWebhook`. */
  readonly webhookUrl: string | null;
  readonly webhookSecret: string;
  /** Hold everything to GitHub's schema. Needs ajv, a dependency of development: a clone has it, an installation perhaps. */
  readonly validate: boolean;
}

export interface FakeGitHub extends People {
  /** Base of the API, as @octokit takes it: `http://127.0.0.1:4000/api/v3`. */
  readonly url: string;
  /** `http://127.0.0.1:4000` */
  readonly webUrl: string;
  readonly cloneUrl: string;
  /** `cloneUrl` with the owner's token in it, for a plain `git push`. */
  readonly pushUrl: string;
  /** The owner's token, scope `repo`. */
  readonly token: string;
  readonly app: AppLogin | null;
  /** A new token of a person; scopes as GitHub names them, `['repo']` unless given. */
  tokenOf(login: string, scopes?: readonly string[]): string;
  expireInstallationTokens(): void;
  /** A fork of the repository under the person's name. */
  fork(login: string): Promise<{ readonly cloneUrl: string; readonly pushUrl: string }>;

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
    ...createPeople(core),
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
      events: ['push', 'pull_request', 'merge_group', 'issue_comment', 'check_run'],
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
