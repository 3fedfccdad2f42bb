/** `POST /webhooks/NAME`, the name of the repository in the configuration: proved over the raw bytes, kept, answered; the work comes later. */
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { forgeLimits, type ReceiveError } from '../forge/forge.ts';
import { unreachable } from '../std/unreachable.ts';
import { comeBackAfterSeconds } from './at-once.ts';
import { BodyReader, BodyRefused } from './body-reader.ts';
import type { ServerPorts } from './ports.ts';

export async function webhooks(app: FastifyInstance, ports: ServerPorts): Promise<void> {
  // The signature is over the bytes as they came, so nothing may parse them first.
  app.removeAllContentTypeParsers();
  const bodies = new BodyReader(forgeLimits.webhookBytesMax);
  app.addContentTypeParser('*', async (_request: FastifyRequest, payload: Readable) => bodies.read(payload));
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof BodyRefused)) throw error;
    if (error.statusCode === 503) void reply.header('retry-after', comeBackAfterSeconds);
    // The rest of the body is not waited for.
    return reply.code(error.statusCode).header('connection', 'close').send({ error: error.message });
  });
  app.post('/webhooks/*', { onRequest: async (request, reply) => admit(ports, request, reply) }, (request, reply) =>
    receive(ports, request, reply),
  );
}

/** Before a body is read: it waits in memory until it is whole, and whoever sends it has proved nothing yet. */
async function admit(
  ports: ServerPorts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const project = ports.projects.get(wildcardOf(request.params));
  if (project === undefined || project.forge.kind === 'local')
    return reply.code(404).send({ error: 'no such repository' });
  if (!project.forge.mayProve(singleHeaders(request.headers)))
    return reply.code(401).send({ error: 'the delivery is not signed: give the webhook its secret' });
  if (Number(request.headers['content-length'] ?? 0) > forgeLimits.webhookBytesMax)
    return reply.code(413).header('connection', 'close').send({ error: 'the delivery is larger than GitHub sends' });
  return undefined;
}

async function receive(ports: ServerPorts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const project = ports.projects.get(wildcardOf(request.params));
  if (project === undefined) return reply.code(404).send({ error: 'no such repository' });
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const received = await project.forge.receive({ headers: singleHeaders(request.headers), body });
  if (!received.ok) return reply.code(statusOf(received.error)).send({ error: received.error.message });
  const kept = await ports.conductor.receive(project.name, received.value);
  return reply.code(kept === 'accepted' ? 202 : 200).send({ status: kept, delivery: received.value.id });
}

function statusOf(error: ReceiveError): number {
  switch (error.kind) {
    case 'unsigned':
      return 401;
    case 'malformed':
      return 400;
    case 'elsewhere':
      return 404;
    case 'too-large':
      return 413;
    default:
      return unreachable(error.kind);
  }
}

function wildcardOf(params: unknown): string {
  return typeof params === 'object' && params !== null && '*' in params ? String(params['*']) : '';
}

function singleHeaders(headers: FastifyRequest['headers']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}
