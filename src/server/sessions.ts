/**
 * Who has logged in. A session is a cookie that says until when it lasts, sealed with a key: no list of them is kept, so any
 * server with the same key knows it. The key ends with the server, or is made of the API token where several servers answer
 * for each other. What is remembered are the sessions that were ended before their time, by the server that ended them.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../std/clock.ts';

export const sessionLimits = { lifeMs: 12 * 3_600_000, endedMax: 1000 } as const;

export interface Session {
  /** What forms of its pages carry: another site can send the cookie along, and cannot know this. */
  readonly formToken: string;
  readonly endsAt: number;
}

export class Sessions {
  readonly #clock: Clock;
  readonly #secure: boolean;
  readonly #key: Buffer;
  /** Digests of ids, with when they would have ended; oldest first. */
  readonly #ended = new Map<string, number>();

  /**
   * `secure`: people come over https. Then the cookie is bound to this very host and never leaves it in the clear.
   * `secret`: what all servers share that take each other's sessions; null: there are no others.
   */
  constructor(clock: Clock, secure: boolean, secret: string | null) {
    this.#clock = clock;
    this.#secure = secure;
    this.#key = secret === null ? randomBytes(32) : createHash('sha256').update(`sessions ${secret}`).digest();
  }

  /** The session of a request; null where there is none, or no longer. */
  of(request: FastifyRequest): Session | null {
    const id = this.#idOf(request);
    const endsAt = id === null ? null : this.#endOf(id);
    if (id === null || endsAt === null || endsAt <= this.#clock.now() || this.#ended.has(digest(id))) return null;
    return { formToken: this.#seal(`form ${id}`), endsAt };
  }

  /** A new session under a new id, in the place of the one that the request came with; gives the cookie. */
  begin(request: FastifyRequest): string {
    this.#forget(request);
    const named = `${(this.#clock.now() + sessionLimits.lifeMs).toString(36)}.${randomBytes(16).toString('base64url')}`;
    return this.#cookie(`${named}.${this.#seal(named)}`, sessionLimits.lifeMs / 1000);
  }

  /** Gives the cookie that takes the id away. */
  end(request: FastifyRequest): string {
    this.#forget(request);
    return this.#cookie('', 0);
  }

  #forget(request: FastifyRequest): void {
    const id = this.#idOf(request);
    const endsAt = id === null ? null : this.#endOf(id);
    if (id === null || endsAt === null) return;
    const now = this.#clock.now();
    for (const [key, end] of this.#ended) {
      if (end <= now || this.#ended.size >= sessionLimits.endedMax) this.#ended.delete(key);
    }
    this.#ended.set(digest(id), endsAt);
  }

  /** Null where it is not sealed by us. */
  #endOf(id: string): number | null {
    const at = id.lastIndexOf('.');
    const sealed = Buffer.from(this.#seal(id.slice(0, at)));
    const given = Buffer.from(id.slice(at + 1));
    if (sealed.length !== given.length || !timingSafeEqual(sealed, given)) return null;
    return Number.parseInt(id, 36);
  }

  #seal(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }

  #cookie(id: string, seconds: number): string {
    return `${this.#name()}=${id}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${this.#secure ? '; Secure' : ''}`;
  }

  /** Browsers take the prefix over https alone. */
  #name(): string {
    return this.#secure ? '__Host-contender' : 'contender';
  }

  #idOf(request: FastifyRequest): string | null {
    const start = `${this.#name()}=`;
    const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
    const id = pairs.find((pair) => pair.startsWith(start))?.slice(start.length) ?? '';
    return /^[0-9a-z]{1,12}\.[\w-]{22}\.[\w-]{43}$/.test(id) ? id : null;
  }
}

function digest(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
