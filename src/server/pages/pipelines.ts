/** `/pipelines`. */
import type { FastifyInstance } from 'fastify';
import { pipelinesPage } from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';
import type { PageReply } from './reply.ts';
import type { RepositoryReader } from './repositories.ts';

export function pipelinesRoutes(
  app: FastifyInstance,
  ports: ServerPorts,
  repositories: RepositoryReader,
  pages: PageReply,
): void {
  app.get('/pipelines', async (request, reply) =>
    pages.send(
      request,
      reply,
      pipelinesPage({ now: ports.clock.now(), repositories: await repositories.repositories() }),
    ),
  );
}
