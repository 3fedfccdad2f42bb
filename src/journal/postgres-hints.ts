/**
 * Hints over LISTEN and NOTIFY. The connection that listens is one of its own, because a pool would hand it on; where it
 * is lost it is made anew, ever more rarely. A connection can also die without a word, so every few seconds a word is
 * told to it: one that does not hear it is given up.
 *
 *   told words ─► gather for a moment ─► pg_notify ─► listening connections of all servers ─► heard, but by the teller
 */
import { randomUUID } from 'node:crypto';
import { Client, type ClientConfig, type Pool } from 'pg';
import type { Hints } from './hints.ts';
import { part } from './postgres-parting.ts';

const channel = 'contender';
const limits = { gatherMs: 20, beatMs: 15_000, againFirstMs: 100, againMaxMs: 5000, payloadMax: 7000 } as const;
const beat = 'beat';

export class PostgresHints implements Hints {
  readonly #pool: Pool;
  readonly #config: ClientConfig;
  /** Tells our own words from those of others. */
  readonly #self = randomUUID();
  readonly #heard = new Set<(word: string) => void>();
  readonly #gathered = new Set<string>();
  #telling: NodeJS.Timeout | null = null;
  #client: Client | null = null;
  #lost = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(pool: Pool, config: ClientConfig) {
    this.#pool = pool;
    this.#config = config;
  }

  tell(word: string): void {
    if (this.#closed) return;
    this.#gathered.add(word);
    this.#telling ??= setTimeout(() => this.#send(), limits.gatherMs).unref();
  }

  listen(heard: (word: string) => void): () => void {
    this.#heard.add(heard);
    if (this.#client === null && this.#timer === null) this.#connect();
    return () => this.#heard.delete(heard);
  }

  async close(): Promise<void> {
    if (this.#telling !== null) this.#send();
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#client !== null) end(this.#client);
  }

  #send(): void {
    if (this.#telling !== null) clearTimeout(this.#telling);
    this.#telling = null;
    let payload = this.#self;
    const words = [...this.#gathered];
    this.#gathered.clear();
    for (const word of words) {
      if (payload.length + word.length > limits.payloadMax) {
        this.#notify(payload);
        payload = this.#self;
      }
      payload += ` ${word}`;
    }
    this.#notify(payload);
  }

  #notify(payload: string): void {
    this.#pool.query('select pg_notify($1, $2)', [channel, payload]).catch(() => undefined);
  }

  #connect(): void {
    const client = new Client(this.#config);
    this.#client = client;
    const lost = (): void => this.#lose(client);
    client.on('error', lost).on('end', lost);
    client.on('notification', ({ payload }) => this.#hear(payload ?? ''));
    client.connect().then(() => client.query(`listen ${channel}`).then(() => this.#beat(client), lost), lost);
  }

  /** Heard within the next beat, or the connection is dead. */
  #beat(client: Client): void {
    if (this.#client !== client || this.#closed) return;
    this.#notify(`${this.#self} ${beat}`);
    this.#timer = setTimeout(() => this.#lose(client), limits.beatMs).unref();
  }

  #hear(payload: string): void {
    const [teller, ...words] = payload.split(' ');
    if (teller !== this.#self) {
      for (const word of words) for (const heard of this.#heard) heard(word);
      return;
    }
    const client = this.#client;
    if (!words.includes(beat) || client === null || this.#timer === null) return;
    this.#lost = 0;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#beat(client), limits.beatMs).unref();
  }

  #lose(client: Client): void {
    if (this.#client !== client || this.#closed) return;
    this.#client = null;
    end(client);
    if (this.#timer !== null) clearTimeout(this.#timer);
    const againMs = Math.min(limits.againFirstMs * 2 ** this.#lost, limits.againMaxMs);
    this.#lost += 1;
    this.#timer = setTimeout(() => this.#connect(), againMs).unref();
  }
}

function end(client: Client): void {
  client.end().catch(() => undefined);
  part(client);
}
