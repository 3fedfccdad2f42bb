/** `/runs/:id`: the page of a run, whole without a program, live with one. */
import type { FastifyInstance } from 'fastify';
import { appendLines, errorPage, runPage, runTitle, type Selection } from '../../ui/ui.ts';
import type { PageReply } from './reply.ts';
import type { RunReader } from './run-reader.ts';
import type { RunStreams } from './run-stream.ts';
import { fieldOf, numberOf, parameterOf } from './request.ts';

export function runRoutes(app: FastifyInstance, reader: RunReader, streams: RunStreams, pages: PageReply): void {
  app.get('/runs/:id', async (request, reply) => {
    const id = parameterOf(request, 'id');
    const selection = selectionOf(request.query);
    const reading = await reader.read(id, selection);
    if (reading === null)
      return pages.send(
        request,
        reply,
        errorPage(404, 'There is no run with this id. It may have been started on another server.'),
        404,
      );
    const { view, settled } = reading;
    const tail = await reader.tail(view);
    const log = tail === null ? null : { tail, blocks: appendLines([], tail.lines) };
    const visitor = await pages.visitor(request);
    const watch = { now: view.now, zone: 'utc' } as const;
    const body = runPage({ view, log, liveness: { kind: 'still' }, watch, visitor });
    return pages.send(request, reply, {
      title: runTitle(view),
      area: 'runs',
      body,
      island: { name: 'run', data: { view, tail, selection, settled, visitor } },
    });
  });

  app.get('/runs/:id/events', { exposeHeadRoute: false }, async (request, reply) => {
    await streams.open(request, reply, parameterOf(request, 'id'), selectionOf(request.query));
    return reply;
  });
}

function selectionOf(query: unknown): Selection {
  return { step: fieldOf(query, 'step'), index: numberOf(query, 'index'), attempt: numberOf(query, 'attempt') };
}
