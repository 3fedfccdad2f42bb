/** `/pipelines`, all of them or those of one owner or tag. */
import type { FastifyInstance } from 'fastify';
import { pipelinesPage } from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';
import type { PageReply } from './reply.ts';
import type { RepositoryReader } from './repositories.ts';
import { fieldOf } from './request.ts';

export function pipelinesRoutes(
  app: FastifyInstance,
  ports: ServerPorts,
  repositories: RepositoryReader,
  pages: PageReply,
): void {
  app.get('/pipelines', async (request, reply) => {
    const filter = { owner: fieldOf(request.query, 'owner'), tag: fieldOf(request.query, 'tag') };
    const page = pipelinesPage({ now: ports.clock.now(), filter, repositories: await repositories.repositories() });
    return pages.send(request, reply, page);
  });
}
