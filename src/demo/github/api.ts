/**
 * The API over HTTP: who calls, whether they may, the endpoint, GitHub's headers. Every request and answer of a known
 * endpoint is held to the schema; a breach and an endpoint that is not there are kept as violations.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isJsonObject, type Json, type JsonObject } from '../../std/json.ts';
import { unreachable } from '../../std/unreachable.ts';
import { actorOf, atLeast, permissionOf, type Access, type Caller } from './access.ts';
import type { Core } from './core.ts';
import { documentationUrl, refuse, type Answer, type Endpoint, type Need } from './endpoint.ts';
import { accountEndpoints, hourlyLimit } from './endpoints-account.ts';
import { commitEndpoints } from './endpoints-commits.ts';
import { pullEndpoints } from './endpoints-pulls.ts';
import type { FaultAnswer, Faults } from './faults.ts';
import type { SchemaChecks } from './schema.ts';
import { fullName } from './world.ts';

export const apiPath = '/api/v3';

export interface LoggedRequest {
  readonly method: string;
  /** Without `/api/v3`, with the query. */
  readonly path: string;
  /** As in GitHub's description; null for one that is not there. */
  readonly endpoint: string | null;
  readonly actor: string | null;
  readonly body: Json;
  /** Null where the connection was cut. */
  status: number | null;
}

export interface Api {
  readonly core: Core;
  readonly access: Access;
  readonly faults: Faults;
  readonly checks: SchemaChecks | null;
  readonly log: LoggedRequest[];
  readonly violation: (message: string) => void;
}

export function serveApi(server: FastifyInstance, api: Api): void {
  let used = 0;
  for (const endpoint of [...accountEndpoints, ...commitEndpoints, ...pullEndpoints]) {
    const [method = 'GET', path = ''] = endpoint.name.split(' ');
    server.route({
      method,
      url: apiPath + path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: async (request, reply) => {
        used += 1;
        await handle(api, endpoint, request, reply, used);
        return reply;
      },
    });
  }
}

/** What no endpoint takes. */
export function handleUnknown(api: Api, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  api.violation(`${request.method} ${request.url}: there is no such endpoint`);
  api.log.push({ ...logEntry(api, request, null), status: 404 });
  return reply.code(404).send({ message: 'Not Found', documentation_url: documentationUrl, status: '404' });
}

function logEntry(api: Api, request: FastifyRequest, endpoint: string | null): LoggedRequest {
  const caller = api.access.read(request.headers.authorization);
  return {
    method: request.method,
    path: request.url.slice(apiPath.length),
    endpoint,
    actor: caller === null ? null : (actorOf(caller)?.login ?? null),
    body: isJsonObject(request.body) ? request.body : null,
    status: null,
  };
}

async function handle(
  api: Api,
  endpoint: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
  used: number,
): Promise<void> {
  const entry = logEntry(api, request, endpoint.name);
  api.log.push(entry);
  const fault = api.faults.take({ method: request.method, path: entry.path });
  if (fault?.kind === 'drop') return cut(reply);
  if (fault?.kind === 'hold') await fault.until;
  const given = fault === null ? null : faultAnswer(fault);
  const result = given ?? (await perform(api, endpoint, request));
  if (fault?.kind === 'lose-answer') return cut(reply);
  entry.status = result.status;
  send(request, reply, result, fault?.kind === 'hourly-limit' ? hourlyLimit : used, api.core.world.clock.now());
}

function cut(reply: FastifyReply): void {
  reply.hijack();
  reply.raw.socket?.destroy();
}

function faultAnswer(fault: FaultAnswer): Answer | null {
  const limited = (message: string, headers: { readonly [name: string]: string }): Answer => ({
    ...refuse({ status: 403, message }),
    headers,
  });
  switch (fault.kind) {
    case 'status': {
      const body = { message: fault.message ?? 'Server Error', documentation_url: documentationUrl };
      return { status: fault.status, body, ...(fault.headers === undefined ? {} : { headers: fault.headers }) };
    }
    case 'secondary-limit':
      return limited('You have exceeded a secondary rate limit. Please wait a few minutes before you try again.', {
        'retry-after': String(fault.retryAfterSeconds),
      });
    case 'hourly-limit':
      return limited('API rate limit exceeded.', {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(fault.resetAt / 1000)),
      });
    case 'drop':
    case 'lose-answer':
    case 'hold':
      return null;
    default:
      return unreachable(fault);
  }
}

async function perform(api: Api, endpoint: Endpoint, request: FastifyRequest): Promise<Answer> {
  const violation = (what: string) => (wrong: string) =>
    api.violation(`${request.method} ${request.url}: ${what}: ${wrong}`);
  if (request.headers['user-agent'] === undefined)
    return refuse({ status: 403, message: 'Request forbidden by administrative rules. Please give a User-Agent.' });
  const caller = api.access.read(request.headers.authorization);
  if (caller === null) return refuse({ status: 401, message: 'Bad credentials' });
  const parameters = request.params as { readonly [name: string]: string };
  const refused = refusal(api.core, caller, parameters, endpoint.need);
  const query = request.query as { readonly [name: string]: string };
  for (const wrong of api.checks?.request(endpoint.name, query, request.body) ?? []) violation('request')(wrong);
  const result =
    refused ??
    (await endpoint.handle({
      core: api.core,
      access: api.access,
      caller,
      // Every endpoint that writes needs a permission, which nobody anonymous has.
      actor: actorOf(caller) ?? api.core.world.repository.owner,
      parameters,
      query,
      body: isJsonObject(request.body) ? request.body : ({} satisfies JsonObject),
      url: request.url,
    }));
  for (const wrong of api.checks?.answer(endpoint.name, result.status, result.body) ?? [])
    violation(`answer ${result.status}`)(wrong);
  return result;
}

function refusal(
  core: Core,
  caller: Caller,
  parameters: { readonly [name: string]: string },
  need: Need | null,
): Answer | null {
  const { world } = core;
  const hidden = refuse({ status: 404, message: 'Not Found' });
  if (parameters['owner'] !== undefined) {
    const wanted = `${parameters['owner']}/${parameters['repo'] ?? ''}`;
    if (wanted.toLowerCase() !== fullName(world.repository).toLowerCase()) return hidden;
  }
  if (need === null) return null;
  switch (caller.kind) {
    case 'installation': {
      const granted = need.permissions.map((name) => (name === 'metadata' ? 'read' : caller.permissions[name]));
      const enough = granted.some((level) => level === 'write' || (level === 'read' && need.level === 'read'));
      return enough ? null : refuse({ status: 403, message: 'Resource not accessible by integration' });
    }
    case 'app':
      return refuse({ status: 401, message: 'This endpoint needs the token of an installation' });
    case 'anonymous':
    case 'user': {
      const permission = permissionOf(world, caller);
      if (!atLeast(permission, 'read')) return hidden;
      // Whoever may read may comment, open pull requests and react.
      const open = need.permissions.some((name) => name === 'issues' || name === 'pull_requests');
      if (need.level === 'read' || (open && caller.kind === 'user') || atLeast(permission, 'write')) return null;
      return caller.kind === 'anonymous'
        ? refuse({ status: 401, message: 'Requires authentication' })
        : refuse({ status: 403, message: 'Resource not accessible by personal access token' });
    }
    default:
      return unreachable(caller);
  }
}

function send(request: FastifyRequest, reply: FastifyReply, result: Answer, used: number, now: number): void {
  const remaining = Math.max(0, hourlyLimit - used);
  const body = result.body === undefined ? '' : JSON.stringify(result.body);
  void reply.headers({
    'x-github-media-type': 'github.v3; format=json',
    'x-github-request-id': randomUUID(),
    'x-ratelimit-limit': String(hourlyLimit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-used': String(hourlyLimit - remaining),
    'x-ratelimit-reset': String(Math.ceil(now / 3_600_000) * 3600),
    'x-ratelimit-resource': 'core',
    ...result.headers,
  });
  if (request.method === 'GET' && result.status === 200) {
    const etag = `W/"${createHash('sha256').update(body).digest('hex')}"`;
    void reply.header('etag', etag);
    if (request.headers['if-none-match'] === etag) {
      void reply.code(304).send();
      return;
    }
  }
  void reply.code(result.status);
  if (body !== '') void reply.type('application/json; charset=utf-8');
  void reply.send(body);
}
