/** `/login` and `/logout`: whoever has the API token may press the buttons of the pages for a while. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { loginPage } from '../../ui/ui.ts';
import { isApiToken } from '../access.ts';
import { LoginLimit, loginLimits } from '../login-limit.ts';
import type { ServerPorts } from '../ports.ts';
import type { Sessions } from '../sessions.ts';
import { formBytesMax, formField, localAddress, seeOther } from './forms.ts';
import type { PageReply } from './reply.ts';
import { fieldOf } from './request.ts';

export function loginRoutes(app: FastifyInstance, ports: ServerPorts, sessions: Sessions, pages: PageReply): void {
  const limit = new LoginLimit(ports.clock);

  app.get('/login', async (request, reply) => {
    const to = localAddress(fieldOf(request.query, 'to'));
    return (await sessions.of(request)) === null
      ? pages.send(request, reply, loginPage(to, null))
      : seeOther(reply, to);
  });

  app.post('/login', { bodyLimit: formBytesMax }, async (request, reply) => {
    const to = localAddress(formField(request, 'to'));
    if (!limit.allows(request.ip)) return tooOften(request, reply, to, pages);
    if (!isApiToken(ports, formField(request, 'api-token').trim()))
      return pages.send(request, reply, loginPage(to, 'This is not the API token of this server.'), 401);
    limit.succeeded(request.ip);
    return seeOther(reply.header('set-cookie', await sessions.begin(request)), to);
  });

  app.post('/logout', { bodyLimit: formBytesMax }, async (request, reply) =>
    seeOther(reply.header('set-cookie', await sessions.end(request)), localAddress(formField(request, 'to'))),
  );
}

function tooOften(request: FastifyRequest, reply: FastifyReply, to: string, pages: PageReply): Promise<FastifyReply> {
  void reply.header('retry-after', String(loginLimits.withinMs / 1000));
  return pages.send(request, reply, loginPage(to, 'That was tried too often. Wait a minute.'), 429);
}
