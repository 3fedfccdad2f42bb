/**
 * Who may do what: one table of all routes, and a guard before each that the table asks for. A route that has no row
 * cannot be registered, so none is forgotten.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { unreachable } from '../std/unreachable.ts';
import type { ServerPorts } from './ports.ts';
import type { Sessions } from './sessions.ts';

export type Permission =
  /** Reading, for whoever reaches the server. */
  | 'open'
  /** The handler proves the delivery over its raw bytes. */
  | 'signed'
  /** The API token, looked at before a byte of the body is read. */
  | 'token'
  /** A form of a page of this server: for logging in. */
  | 'form'
  /** A form of a page of this server, in the hands of somebody who has logged in with the API token. */
  | 'member';

/** By method and address; `HEAD` goes with its `GET`. */
export const access: Readonly<Record<string, Permission>> = {
  'POST /webhooks/*': 'signed',

  'GET /healthz': 'open',
  'GET /ready': 'open',
  'GET /api/v1/openapi.json': 'open',
  'GET /api/v1/runs': 'open',
  'POST /api/v1/runs': 'token',
  'GET /api/v1/runs/:id': 'open',
  'GET /api/v1/runs/:id/steps/:step': 'open',
  'GET /api/v1/pools': 'open',
  'POST /api/v1/runs/:id/cancel': 'token',
  'POST /api/v1/runs/:id/promote': 'token',
  'POST /api/v1/runs/:id/rerun': 'token',
  'POST /api/v1/runs/:id/steps/:step/approve': 'token',
  'POST /api/v1/runs/:id/steps/:step/reject': 'token',
  'GET /api/v1/backfills': 'open',
  'POST /api/v1/backfills': 'token',
  'GET /api/v1/backfills/:id': 'open',
  'POST /api/v1/backfills/:id/cancel': 'token',
  'GET /api/v1/events': 'open',
  'POST /api/v1/events': 'token',

  'GET /': 'open',
  'GET /runs': 'open',
  'GET /runs/:id': 'open',
  'GET /runs/:id/events': 'open',
  'GET /runs/:id/steps/*': 'open',
  'POST /runs/:id/cancel': 'member',
  'POST /runs/:id/decide': 'member',
  'POST /runs/:id/promote': 'member',
  'POST /runs/:id/rerun': 'member',
  'GET /pipelines': 'open',
  'GET /pipelines/start': 'open',
  'POST /pipelines/start': 'member',
  'GET /models': 'open',
  'GET /models/:name': 'open',
  'GET /artifacts/:sha256': 'open',
  'GET /assets/:name': 'open',
  'GET /login': 'open',
  'POST /login': 'form',
  'POST /logout': 'member',
};

/** An answer that says no; the routes' error handlers put it into their own words. */
export class RefusedError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Before any route is registered. */
export function guardRoutes(app: FastifyInstance, ports: ServerPorts, sessions: Sessions): void {
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const name = `${method === 'HEAD' ? 'GET' : method} ${route.url}`;
      const permission = access[name];
      if (permission === undefined) throw new Error(`${name} has no row in the table of src/server/access.ts`);
      guard(route, permission, ports, sessions);
    }
  });
}

function guard(route: RouteOptions, permission: Permission, ports: ServerPorts, sessions: Sessions): void {
  const first = (check: (request: FastifyRequest) => Promise<void> | void): void => {
    const asked = async (request: FastifyRequest): Promise<void> => check(request);
    route.onRequest = [asked, ...[route.onRequest ?? []].flat()];
  };
  switch (permission) {
    case 'open':
    case 'signed':
      return undefined;
    case 'token': {
      const demand = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> =>
        isApiToken(ports, bearerOf(request))
          ? undefined
          : reply.code(401).send({ error: 'this needs the API token: Authorization: Bearer TOKEN' });
      route.onRequest = [demand, ...[route.onRequest ?? []].flat()];
      return undefined;
    }
    case 'form':
      return first((request) => demandOwnPage(ports, request));
    case 'member': {
      first(async (request) => {
        demandOwnPage(ports, request);
        if ((await sessions.of(request)) === null) throw new RefusedError(401, 'You are not logged in, or no longer.');
      });
      const demandFormToken = async (request: FastifyRequest): Promise<void> => {
        const given = request.body instanceof URLSearchParams ? (request.body.get('token') ?? '') : '';
        if (same(given, (await sessions.of(request))?.formToken ?? '')) return;
        throw new RefusedError(403, 'The form is not of this session. Load its page again.');
      };
      route.preHandler = [demandFormToken, ...[route.preHandler ?? []].flat()];
      return undefined;
    }
    default:
      return unreachable(permission);
  }
}

/** Browsers say from where a form comes; those that do not yet say at least its origin. Who says neither is no browser of ours. */
function demandOwnPage({ publicUrl }: ServerPorts, { headers }: FastifyRequest): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin') return;
  const known = origin !== undefined && URL.canParse(origin) ? new URL(origin) : null;
  const own = known !== null && (known.host === host || known.origin === originOf(publicUrl ?? null));
  if (site !== undefined || !own) throw new RefusedError(403, 'The form is not of a page of this server.');
}

function originOf(url: string | null): string | null {
  return url === null ? null : new URL(url).origin;
}

export function bearerOf(request: FastifyRequest): string {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

export function isApiToken({ apiToken }: ServerPorts, given: string): boolean {
  return same(given, apiToken);
}

/** Compared as digests: of one length, in constant time. Nothing is never the same. */
function same(given: string, wanted: string): boolean {
  return given !== '' && wanted !== '' && timingSafeEqual(digest(given), digest(wanted));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
