/** `/artifacts/:sha256`: the verified bytes of an artifact, to be saved and never shown: a file of a step may be anything. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { errorPage } from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';
import type { PageReply } from './reply.ts';
import { fieldOf, parameterOf } from './request.ts';

export function artifactRoutes(app: FastifyInstance, { artifacts }: ServerPorts, pages: PageReply): void {
  const folder = mkdtemp(join(tmpdir(), 'contender-artifacts-'));
  folder.catch(() => undefined);
  app.addHook('onClose', async () => rm(await folder, { recursive: true, force: true }));
  app.get(
    '/artifacts/:sha256',
    {
      exposeHeadRoute: false,
      onSend: async (_request, reply, payload) => {
        if (reply.hasHeader('content-disposition'))
          void reply.header('content-security-policy', "sandbox; default-src 'none'");
        return payload;
      },
    },
    async (request, reply) => {
      const sha256 = parameterOf(request, 'sha256');
      const path = join(await folder, randomUUID());
      const here = /^[0-9a-f]{64}$/.test(sha256) && (await artifacts.getFile(sha256, path));
      if (!here)
        return pages.send(
          request,
          reply,
          errorPage(404, 'There is no such artifact here. It may have been cleared away.'),
          404,
        );
      const file = await open(path, 'r');
      const { size } = await file.stat();
      // The open file outlives its name: nothing is left behind, however the download ends.
      await rm(path, { force: true });
      void reply.headers({
        'content-type': 'application/octet-stream',
        'content-length': size,
        'content-disposition': `attachment; filename="${safeName(fieldOf(request.query, 'name') ?? sha256)}"`,
        'cache-control': 'private, max-age=31536000, immutable',
        etag: `"${sha256}"`,
      });
      return reply.send(createReadStream(path, { fd: file, autoClose: true }));
    },
  );
}

/** What every file system takes, and no header is broken by. */
function safeName(name: string): string {
  return (
    name
      .replaceAll(/[^\w.+-]/g, '_')
      .replace(/^\.+/, '_')
      .slice(0, 120) || 'artifact'
  );
}
