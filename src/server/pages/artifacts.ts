/**
 * `/artifacts/:sha256`: the bytes of an artifact, to be saved and never shown: a file of a step may be anything. They leave
 * as they are read from the store, which breaks off before the last ones where they are not those that were kept.
 */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { writeDuration } from '../../std/duration.ts';
import { errorPage } from '../../ui/ui.ts';
import { pathOf } from '../path-of.ts';
import type { ServerPorts } from '../ports.ts';
import { AtOnce, comeBackAfterSeconds } from '../at-once.ts';
import type { PageReply } from './reply.ts';
import { fieldOf, parameterOf } from './request.ts';

const downloadsMax = 8;

/**
 * What whoever reads takes at least of bytes that wait, 4 KiB/s, so that no place is held by drips. Over five minutes, because
 * the kernel takes up to some MiB at once, and says nothing more until the network has carried a part of them away.
 */
const pace = { bytesMin: 4 * 1024 * 5 * 60, looks: 20, lookMs: 15_000 } as const;

const brokenOff =
  'a download was broken off: less than 4 KiB/s of it were taken for 5 minutes. ' +
  'Begin it again over a faster connection, or copy the file of that hash from `artifacts` in the folder `shared`';

export function artifactRoutes(app: FastifyInstance, ports: ServerPorts, pages: PageReply): void {
  const downloads = new AtOnce(downloadsMax);
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
      const leave = downloads.take();
      if (leave === null) return refuse(request, reply, pages);
      const look = setInterval(paceLook(request, reply, ports), pace.lookMs);
      reply.raw.once('close', () => {
        clearInterval(look);
        leave();
      });
      return download(request, reply, { ports, pages });
    },
  );
}

async function download(
  request: FastifyRequest,
  reply: FastifyReply,
  { ports, pages }: { readonly ports: ServerPorts; readonly pages: PageReply },
): Promise<FastifyReply> {
  const sha256 = parameterOf(request, 'sha256');
  const found = await ports.artifacts.openVerified(sha256);
  if (found === null) {
    const { artifactsKeptMs = null } = ports;
    const why =
      artifactsKeptMs === null
        ? 'It may have been cleared away.'
        : `One that nothing needs is removed ${writeDuration(artifactsKeptMs)} after it was made or last used; run the step that made it again.`;
    const page = errorPage(404, `There is no such artifact here. ${why}`);
    return pages.send(request, reply, page, 404);
  }
  const content = Readable.from(found.content, { objectMode: false });
  // What cannot be read at all, or is short and damaged, gets a page that says so.
  await once(content, 'readable');
  content.once('error', (error) =>
    ports.log.error({ path: pathOf(request), error: error.message }, 'a download was broken off'),
  );
  void reply.headers({
    'content-type': 'application/octet-stream',
    'content-length': found.bytes,
    'content-disposition': `attachment; filename="${safeName(fieldOf(request.query, 'name') ?? sha256)}"`,
    'cache-control': 'private, max-age=31536000, immutable',
    etag: `"${sha256}"`,
  });
  return reply.send(content);
}

/** Breaks the download off at the last of so many looks that find bytes waiting, one after the other, and too few taken. */
function paceLook(request: FastifyRequest, { raw }: FastifyReply, { log }: ServerPorts): () => void {
  const { socket } = request.raw;
  const taken = (): number => socket.bytesWritten - socket.writableLength;
  let [looks, before] = [0, taken()];
  return () => {
    looks += 1;
    // Where none wait, the store is what is slow.
    if (raw.writableLength > 0 && looks < pace.looks) return;
    if (raw.writableLength > 0 && taken() - before < pace.bytesMin) {
      log.error({ path: pathOf(request), client: request.ip, bytes: taken() }, brokenOff);
      raw.destroy();
    }
    [looks, before] = [0, taken()];
  };
}

function refuse(request: FastifyRequest, reply: FastifyReply, pages: PageReply): Promise<FastifyReply> {
  void reply.header('retry-after', comeBackAfterSeconds);
  const page = errorPage(503, `${downloadsMax} downloads are under way, which is the most. Try again in a moment.`);
  return pages.send(request, reply, page, 503);
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
