/**
 * The server as its parts: webhooks in, an API for commands, pages for people. It listens on loopback unless the
 * configuration says otherwise, answers with a strict content policy, and never falls over a request.
 */
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { api } from './api.ts';
import { guardRoutes } from './access.ts';
import { checkHosts } from './host-check.ts';
import { pages } from './pages.ts';
import { pathOf } from './path-of.ts';
import type { ServerPorts } from './ports.ts';
import { Sessions } from './sessions.ts';
import { webhooks } from './webhooks.ts';

export const serverLimits = { bodyBytesMax: 1024 * 1024, requestTimeoutMs: 30_000, drainMs: 10_000 } as const;

const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export async function createServer(ports: ServerPorts): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: serverLimits.bodyBytesMax,
    requestTimeout: serverLimits.requestTimeoutMs,
    // One proxy, whose word counts: what is further from us could be written by anybody.
    trustProxy: (_address, hop) => ports.behindProxy === true && hop === 0,
    routerOptions: { maxParamLength: 512 },
    // Live streams are ended by us; everything else drains.
    forceCloseConnections: 'idle',
    // So that the compilers which Fastify brings along, and which would never be asked, are not loaded (10 MB).
    schemaController: { compilersFactory: { buildValidator: neverBuilt, buildSerializer: neverBuilt } },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  if (ports.hosts !== undefined && ports.hosts !== null) checkHosts(app, ports.hosts);
  const secure = ports.publicUrl?.startsWith('https:') === true;
  const sessions = new Sessions(ports, secure);
  guardRoutes(app, ports, sessions);
  app.addHook('onSend', async (_request, reply, payload) => {
    void reply.headers({
      'content-security-policy': contentPolicy,
      'x-content-type-options': 'nosniff',
      // With none at all, browsers do not say from where a form of ours comes either.
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'x-frame-options': 'DENY',
    });
    return payload;
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500)
      ports.log.error({ path: pathOf(request), error: error.message, stack: error.stack }, 'a request failed');
    void reply.code(status).send({ error: status >= 500 ? 'internal error' : error.message });
  });
  await app.register(webhooks, ports);
  await app.register(api, ports);
  await app.register((scope) => pages(scope, ports, sessions));
  return app;
}

function neverBuilt(): never {
  throw new Error('a route has been registered before the compilers were set');
}
