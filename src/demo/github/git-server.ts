/**
 * Git over HTTP through Git's own `http-backend`, streamed both ways. Pushes run one at a time, so that what changed
 * between the refs before and after belongs to the push; its answer ends only when what follows from it is known.
 */
import { spawn } from 'node:child_process';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { actorOf, atLeast, permissionOf, type Access, type Caller } from './access.ts';
import { apiPath } from './api.ts';
import { gitEnvironment, refs } from './bare.ts';
import type { Core } from './core.ts';
import { afterPush } from './pulls.ts';
import { findRepository, type Repository } from './world.ts';

interface Pushes {
  last: Promise<void>;
}

export function serveGit(server: FastifyInstance, core: Core, access: Access): void {
  const pushes: Pushes = { last: Promise.resolve() };
  server.route({
    method: ['GET', 'POST'],
    url: '/:owner/:name/*',
    handler: async (request, reply) => {
      if (request.url.startsWith(`${apiPath}/`)) return reply.callNotFound();
      const { owner = '', name = '', '*': rest = '' } = request.params as Record<string, string>;
      const repository = name.endsWith('.git') ? findRepository(core.world, owner, name.slice(0, -4)) : null;
      if (repository === null) return reply.code(404).type('text/plain').send('Not Found\n');
      const writes = request.url.endsWith('git-receive-pack');
      const caller = access.read(request.headers.authorization);
      const refusal = refuseGit(core, caller, repository, writes);
      if (refusal !== null) {
        if (refusal.status === 401) void reply.header('www-authenticate', 'Basic realm="GitHub"');
        return reply.code(refusal.status).type('text/plain').send(`${refusal.message}\n`);
      }
      reply.hijack();
      if (!(writes && request.method === 'POST' && caller !== null)) {
        await runBackend(repository, rest, request, reply, null);
        return reply;
      }
      const push = pushes.last.then(() => receivePush(core, repository, rest, request, reply, caller));
      pushes.last = push.catch(() => undefined);
      await push;
      return reply;
    },
  });
}

function refuseGit(
  core: Core,
  caller: Caller | null,
  repository: Repository,
  writes: boolean,
): { readonly status: number; readonly message: string } | null {
  if (caller === null) return { status: 401, message: 'Invalid username or token.' };
  const permission = permissionOf(core.world, caller);
  // A fork belongs to its owner.
  const own = repository.isFork && actorOf(caller)?.id === repository.owner.id;
  if (writes ? own || (!repository.isFork && atLeast(permission, 'write')) : own || atLeast(permission, 'read'))
    return null;
  if (caller.kind === 'anonymous') return { status: 401, message: 'Authentication required.' };
  return writes && atLeast(permission, 'read')
    ? { status: 403, message: `Permission to ${repository.owner.login}/${repository.name}.git denied.` }
    : { status: 404, message: 'Repository not found.' };
}

async function receivePush(
  core: Core,
  repository: Repository,
  path: string,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
): Promise<void> {
  const pusher = actorOf(caller);
  if (pusher === null) return;
  const before = await refs(repository.directory);
  await runBackend(repository, path, request, reply, async () => {
    const after = await refs(repository.directory);
    for (const ref of new Set([...before.keys(), ...after.keys()]))
      if (before.get(ref) !== after.get(ref))
        await afterPush(core, {
          repository,
          ref,
          before: before.get(ref) ?? null,
          after: after.get(ref) ?? null,
          pusher,
        });
  });
}

/** CGI: the request becomes environment and standard input, the output head and body. `done`: before the answer ends. */
function runBackend(
  repository: Repository,
  path: string,
  request: FastifyRequest,
  reply: FastifyReply,
  done: (() => Promise<void>) | null,
): Promise<void> {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: gitEnvironment({
      GIT_PROJECT_ROOT: repository.directory,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: `/${path}`,
      QUERY_STRING: request.url.split('?', 2)[1] ?? '',
      CONTENT_TYPE: header('content-type'),
      REMOTE_USER: 'git',
      REMOTE_ADDR: '127.0.0.1',
      // Absent where the body comes in chunks: it is then read to its end.
      ...(header('content-length') === '' ? {} : { CONTENT_LENGTH: header('content-length') }),
      // http-backend unpacks gzip itself.
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: header('git-protocol'),
    }),
  });
  const raw = reply.raw;
  // Whoever went away early: the end of the process tells what is left to do.
  child.stdin.on('error', () => undefined);
  request.raw.pipe(child.stdin);
  raw.once('close', () => {
    child.stdout.resume();
    if (!raw.writableEnded) child.kill();
  });

  return new Promise((resolve, reject) => {
    let head: Buffer | null = Buffer.alloc(0);
    child.stdout.on('data', (chunk: Buffer) => {
      let body = chunk;
      if (head !== null) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        writeHead(reply, head.subarray(0, end).toString());
        body = head.subarray(end + 4);
        head = null;
      }
      if (raw.writable && !raw.write(body)) {
        child.stdout.pause();
        raw.once('drain', () => child.stdout.resume());
      }
    });
    child.once('error', reject);
    const finish = async (): Promise<void> => {
      await done?.();
      if (head !== null && !raw.headersSent) raw.writeHead(500);
      raw.end();
    };
    child.once('close', () => resolve(finish()));
  });
}

function writeHead(reply: FastifyReply, head: string): void {
  let status = 200;
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n')) {
    const [name = '', value = ''] = line.split(/:\s*/, 2);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  reply.raw.writeHead(status, headers);
}
