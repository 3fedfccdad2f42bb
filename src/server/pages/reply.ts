/** How a page leaves: as one document, compressed, never kept by a cache. */
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { buildAssets, renderPage, type Assets, type Page, type Visitor } from '../../ui/ui.ts';
import type { Clock } from '../../std/clock.ts';
import type { Sessions } from '../sessions.ts';

export class PageReply {
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  #assets: Promise<Assets> | null = null;

  constructor(sessions: Sessions, clock: Clock) {
    this.#sessions = sessions;
    this.#clock = clock;
  }

  /** Where the journal does not answer, nobody: the page that says so must not need it. */
  async visitor(request: FastifyRequest): Promise<Visitor> {
    const session = await this.#sessions.of(request).catch(() => null);
    if (session === null) return { kind: 'reader' };
    return { kind: 'member', formToken: session.formToken, pageKey: randomBytes(12).toString('base64url') };
  }

  /** Made at the first wish for them, once. */
  assets(): Promise<Assets> {
    this.#assets ??= buildAssets().catch((error: unknown) => {
      this.#assets = null;
      throw error;
    });
    return this.#assets;
  }

  async send(request: FastifyRequest, reply: FastifyReply, page: Page, status = 200): Promise<FastifyReply> {
    const { names } = await this.assets();
    const document = Buffer.from(
      renderPage(page, names, {
        visitor: await this.visitor(request),
        now: this.#clock.now(),
        address: request.method === 'GET' ? request.url : '/runs',
      }),
    );
    void reply
      .code(status)
      .headers({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', vary: 'accept-encoding' });
    if (!acceptsGzip(request)) return reply.send(document);
    void reply.header('content-encoding', 'gzip');
    return reply.send(await promisify(gzip)(document, { level: 5 }));
  }
}

export function acceptsGzip(request: FastifyRequest): boolean {
  return /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
}
