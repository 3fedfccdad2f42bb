/** Whatever changes something needs the token, which is looked at before a byte of the body is read. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerPorts } from './ports.ts';

/** Of the schema of a route: what openapi.json says of it. */
export const tokenNeeded = { security: [{ token: [] }] } as const;

/** Compared as digests: of one length, in constant time. */
export async function demandToken(
  ports: ServerPorts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (given !== '' && timingSafeEqual(digest(given), digest(ports.apiToken))) return undefined;
  return reply.code(401).send({ error: 'this needs the API token: Authorization: Bearer TOKEN' });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
