/**
 * The server as its parts: webhooks in, an API for commands, pages for people. It listens on loopback unless the
 * configuration says otherwise, answers with a strict content policy, and never falls over a request.
 */
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Conductor } from '../conductor/conductor.ts';
import type { Project } from '../conductor/ports.ts';
import type { Journal } from '../journal/journal.ts';
import type { ArtifactStore, LogStore } from '../outputs/outputs.ts';
import type { Clock } from '../std/clock.ts';
import { api } from './api.ts';
import { checkHosts } from './host-check.ts';
import { pages } from './pages.ts';
import { webhooks } from './webhooks.ts';

export interface ServerPorts {
  readonly conductor: Conductor;
  readonly journal: Journal;
  readonly logs: LogStore;
  readonly artifacts: ArtifactStore;
  readonly projects: ReadonlyMap<string, Project>;
  readonly clock: Clock;
  /** What a command must show to change anything. */
  readonly apiToken: string;
  readonly version: string;
  /** The names that it answers to, without port; null or absent: to any, because something in front of it looks after that. */
  readonly hosts?: ReadonlySet<string> | null;
  readonly log: { error(fields: Readonly<Record<string, unknown>>, message: string): void };
}

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
    routerOptions: { maxParamLength: 512 },
    // Live streams are ended by us; everything else drains.
    forceCloseConnections: 'idle',
  });
  if (ports.hosts !== undefined && ports.hosts !== null) checkHosts(app, ports.hosts);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.addHook('onSend', async (_request, reply, payload) => {
    void reply.headers({
      'content-security-policy': contentPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'x-frame-options': 'DENY',
    });
    return payload;
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500)
      ports.log.error({ url: request.url, error: error.message, stack: error.stack }, 'a request failed');
    void reply.code(status).send({ error: status >= 500 ? 'internal error' : error.message });
  });
  await app.register(webhooks, ports);
  await app.register(api, ports);
  await app.register(pages, ports);
  return app;
}
