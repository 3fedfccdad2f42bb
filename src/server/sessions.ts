/**
 * Who has logged in: rows of the journal, so that every server knows them and a login outlives a restart. They end after two
 * hours without a request, after twelve in any case, and with the API token that they were begun with. The browser keeps a
 * random id in a cookie that no script reads; kept is only its digest, so that looking one up tells nothing by time.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../std/clock.ts';

export const sessionLimits = {
  lifeMs: 12 * 3_600_000,
  idleMs: 2 * 3_600_000,
  /** Requests that come sooner after each other are not noted. */
  noteMs: 60_000,
} as const;

export interface Session {
  /** What forms of its pages carry: another site can send the cookie along, and cannot know this. */
  readonly formToken: string;
}

export interface SessionPorts {
  readonly journal: Pick<Journal, 'commit' | 'session'>;
  readonly clock: Clock;
  readonly apiToken: string;
}

export class Sessions {
  readonly #ports: SessionPorts;
  readonly #secure: boolean;

  /** `secure`: people come over https. Then the cookie is bound to this very host and never leaves it in the clear. */
  constructor(ports: SessionPorts, secure: boolean) {
    this.#ports = ports;
    this.#secure = secure;
  }

  /** The session of a request; null where there is none, or no longer. */
  async of(request: FastifyRequest): Promise<Session | null> {
    const id = this.#idOf(request);
    if (id === null) return null;
    const { journal, clock } = this.#ports;
    const digest = this.#digest(`session ${id}`);
    const row = await journal.session(digest);
    const now = clock.now();
    if (row === null || row.endsAt <= now || row.usedAt + sessionLimits.idleMs <= now) return null;
    if (row.usedAt + sessionLimits.noteMs <= now) await journal.commit([[{ write: 'session-used', digest, at: now }]]);
    return { formToken: this.#digest(`form ${id}`) };
  }

  /** A new session under a new id, in the place of the one that the request came with; gives the cookie. */
  async begin(request: FastifyRequest): Promise<string> {
    await this.#forget(request);
    const id = randomBytes(16).toString('base64url');
    const at = this.#ports.clock.now();
    const endsAt = at + sessionLimits.lifeMs;
    await this.#ports.journal.commit([[{ write: 'session', digest: this.#digest(`session ${id}`), endsAt, at }]]);
    return this.#cookie(id, sessionLimits.lifeMs / 1000);
  }

  /** Gives the cookie that takes the id away. */
  async end(request: FastifyRequest): Promise<string> {
    await this.#forget(request);
    return this.#cookie('', 0);
  }

  async #forget(request: FastifyRequest): Promise<void> {
    const id = this.#idOf(request);
    if (id === null) return;
    await this.#ports.journal.commit([[{ write: 'session-ended', digest: this.#digest(`session ${id}`) }]]);
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

  /** With the token, so that another token has other sessions. */
  #digest(text: string): string {
    return createHash('sha256').update(`${this.#ports.apiToken} ${text}`).digest('base64url');
  }
}
