/** Pages for people: plain documents that work without a program, and streams that keep them live. */
import type { FastifyError, FastifyInstance } from 'fastify';
import { errorPage } from '../ui/ui.ts';
import { artifactRoutes } from './pages/artifacts.ts';
import { assetRoutes } from './pages/assets.ts';
import { parseForms } from './pages/forms.ts';
import { logRoutes } from './pages/log.ts';
import { loginRoutes } from './pages/login.ts';
import { modelsRoutes } from './pages/models.ts';
import { pipelinesRoutes } from './pages/pipelines.ts';
import { startRoutes } from './pages/start.ts';
import { PageReply } from './pages/reply.ts';
import { RepositoryReader } from './pages/repositories.ts';
import { runActionRoutes } from './pages/run-actions.ts';
import { RunReader } from './pages/run-reader.ts';
import { RunStreams } from './pages/run-stream.ts';
import { runRoutes } from './pages/run.ts';
import { runsRoutes } from './pages/runs.ts';
import { pathOf } from './path-of.ts';
import type { ServerPorts } from './ports.ts';
import type { Sessions } from './sessions.ts';

export async function pages(app: FastifyInstance, ports: ServerPorts, sessions: Sessions): Promise<void> {
  const replies = new PageReply(sessions, ports.clock);
  const reader = new RunReader(ports);
  const streams = new RunStreams(ports, reader);
  app.addHook('preClose', async () => streams.close());
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500)
      ports.log.error({ path: pathOf(request), error: error.message, stack: error.stack }, 'a page failed');
    return replies.send(
      request,
      reply,
      errorPage(
        status,
        status >= 500 ? 'The server could not make this page. The cause stands in its log.' : error.message,
      ),
      status,
    );
  });
  app.setNotFoundHandler(async (request, reply) => {
    if (request.url.startsWith('/api/') || request.url.startsWith('/webhooks/'))
      return reply.code(404).send({ error: 'not found' });
    return replies.send(request, reply, errorPage(404, 'There is no page at this address.'), 404);
  });
  parseForms(app);
  assetRoutes(app, replies);
  const repositories = new RepositoryReader(ports);
  runsRoutes(app, ports, repositories, replies);
  pipelinesRoutes(app, ports, repositories, replies);
  startRoutes(app, ports, repositories, replies);
  modelsRoutes(app, ports, replies);
  artifactRoutes(app, ports, replies);
  logRoutes(app, ports, reader, replies);
  runRoutes(app, reader, streams, replies);
  runActionRoutes(app, ports, replies);
  loginRoutes(app, ports, sessions, replies);
}
