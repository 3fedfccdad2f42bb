/**
 * A server on loopback is open to whoever sits at the machine, and a web page elsewhere must not borrow that: by a name
 * of its own that resolves to 127.0.0.1 (DNS rebinding) it could read every run. So the server answers only to its own
 * names. Webhooks are excepted: they prove themselves, and come through tunnels under names that nobody knows before.
 */
import type { FastifyInstance } from 'fastify';

export function checkHosts(app: FastifyInstance, hosts: ReadonlySet<string>): void {
  app.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/webhooks/') || hosts.has(hostnameOf(request.headers.host ?? ''))) return undefined;
    const error = 'this server is not known by that name: set server.publicUrl, or server.behindProxy';
    return reply.code(421).send({ error });
  });
}

function hostnameOf(host: string): string {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}
