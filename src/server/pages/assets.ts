/** `/assets/…`: named by their content, kept by browsers for good. */
import type { FastifyInstance } from 'fastify';
import { acceptsGzip, type PageReply } from './reply.ts';
import { parameterOf } from './request.ts';

export function assetRoutes(app: FastifyInstance, pages: PageReply): void {
  app.get('/assets/:name', async (request, reply) => {
    const asset = (await pages.assets()).byName.get(parameterOf(request, 'name'));
    if (asset === undefined) return reply.code(404).type('text/plain').send('There is no such file.');
    void reply.headers({
      'content-type': asset.type,
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    });
    if (!acceptsGzip(request)) return reply.send(Buffer.from(asset.bytes));
    return reply.header('content-encoding', 'gzip').send(Buffer.from(asset.gzipped));
  });
}
