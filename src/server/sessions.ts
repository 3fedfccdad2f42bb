/**
 * Who has logged in: sessions in memory, so that they end with the server, after two hours
 * without a request, and after twelve in any case. The browser keeps a
 * random id in a cookie that no script reads; here only its digest is kept, so that looking one up tells nothing by time.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../std/clock.ts';

export const sessionLimits = { lifeMs: 12 * 3_600_000, idleMs: 2 * 3_600_000, sessionsMax: 1000 } as const;

export interface Session {
  /** What forms of its pages carry: another site can send the cookie along, and cannot know this. */
  readonly formToken: string;
}

interface KeptSession extends Session {
  readonly endsAt: number;
  usedAt: number;
}

export class Sessions {
  readonly #clock: Clock;
  readonly #secure: boolean;
  /** Oldest first. */
  readonly #sessions = new Map<string, KeptSession>();

  /** `secure`: people come over https. Then the cookie is bound to this very host and never leaves it in the clear. */
  constructor(clock: Clock, secure: boolean) {
    this.#clock = clock;
    this.#secure = secure;
  }

  /** The session of a request; null where there is none, or no longer. */
  of(request: FastifyRequest): Session | null {
    const id = this.#idOf(request);
    const session = id === null ? undefined : this.#sessions.get(digest(id));
    const now = this.#clock.now();
    if (session === undefined || hasEnded(session, now)) return null;
    session.usedAt = now;
    return session;
  }

  /** A new session under a new id, in the place of the one that the request came with; gives the cookie. */
  begin(request: FastifyRequest): string {
    this.#forget(request);
    const now = this.#clock.now();
    for (const [key, session] of this.#sessions) {
      if (hasEnded(session, now) || this.#sessions.size >= sessionLimits.sessionsMax) this.#sessions.delete(key);
    }
    const id = randomBytes(16).toString('base64url');
    const formToken = randomBytes(16).toString('base64url');
    this.#sessions.set(digest(id), { formToken, endsAt: now + sessionLimits.lifeMs, usedAt: now });
    return this.#cookie(id, sessionLimits.lifeMs / 1000);
  }

  /** Gives the cookie that takes the id away. */
  end(request: FastifyRequest): string {
    this.#forget(request);
    return this.#cookie('', 0);
  }

  #forget(request: FastifyRequest): void {
    const id = this.#idOf(request);
    if (id !== null) this.#sessions.delete(digest(id));
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
    return /^[\w-]{22}$/.test(id) ? id : null;
  }
}

function hasEnded({ endsAt, usedAt }: KeptSession, now: number): boolean {
  return endsAt <= now || usedAt + sessionLimits.idleMs <= now;
}

function digest(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
