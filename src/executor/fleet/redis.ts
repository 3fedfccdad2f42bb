/**
 * A connection to the Redis of the fleet. Redis carries hints alone: what is lost there is sent again by the server, so a
 * Redis that is away delays steps and ends none.
 */
import type { Redis } from 'ioredis';

export interface RedisPlace {
  /** May hold a password: it is never shown. */
  readonly url: string;
  /** Of the names of all keys: several installations share a Redis where each has its own. */
  readonly prefix: string;
}

/** What happens to a connection, once each time that it changes. */
export type RedisNews = (news: string, isTrouble: boolean) => void;

const limits = {
  connectMs: 5000,
  commandMs: 10_000,
  keepAliveMs: 10_000,
  pauseFirstMs: 100,
  pauseMaxMs: 5000,
} as const;

export interface RedisOptions {
  /** Commands wait for a connection; else they reject where there is none. */
  readonly waits: boolean;
  readonly tell: RedisNews;
  /** Then nothing is tried any more, nor by a connection that is made like it (BullMQ makes some). */
  readonly end: AbortSignal;
  /** Until a command that does not wait is given up. */
  readonly commandMs?: number | undefined;
}

/** Connects at once, and again until its end. */
export async function connectRedis(
  place: RedisPlace,
  { waits, tell, end, commandMs = limits.commandMs }: RedisOptions,
): Promise<Redis> {
  // Loaded where there is a fleet alone: the start of a server without one is not slowed by it.
  const { Redis: Client } = await import('ioredis');
  const client = new Client(place.url, {
    connectTimeout: limits.connectMs,
    keepAlive: limits.keepAliveMs,
    // BullMQ's own question that blocks for a job is on a connection that waits.
    maxRetriesPerRequest: waits ? null : 1,
    enableOfflineQueue: waits,
    ...(waits ? {} : { commandTimeout: commandMs }),
    retryStrategy: (times) =>
      end.aborted ? null : Math.min(limits.pauseFirstMs * 2 ** Math.min(times, 10), limits.pauseMaxMs),
    // After a fail-over the address may still lead to the one that is a replica now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  const where = `Redis at ${client.options.host ?? '?'}:${client.options.port ?? '?'}`;
  let state: 'new' | 'well' | 'away' = 'new';
  let why = '';
  client.on('error', (error) => (why = error.message));
  client.on('ready', () => {
    if (state === 'away') tell(`${where} answers again`, false);
    state = 'well';
    warnOfEviction(client, where, tell).catch(() => undefined);
  });
  end.addEventListener('abort', () => client.disconnect());
  client.on('close', () => {
    if (end.aborted || state === 'away') return;
    tell(`${where} does not answer (${why === '' ? 'it closed the connection' : why}): it is tried again`, true);
    state = 'away';
  });
  return client;
}

/**
 * A connection may stand and bring nothing, as after some fail-overs: no error tells it. It is made again where a command was
 * given up on it. Rejects as `work`.
 */
export async function renewing<T>(client: Redis, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isGivenUp(error) && client.status === 'ready') client.disconnect(true);
    throw error;
  }
}

export function isGivenUp(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}

/** Nothing is lost where Redis forgets keys; but steps then wait until they are sent again. */
async function warnOfEviction(client: Redis, where: string, tell: RedisNews): Promise<void> {
  const policy = (await client.config('GET', 'maxmemory-policy')) as readonly string[];
  const said = policy[1] ?? 'noeviction';
  if (said === 'noeviction') return;
  tell(`${where} may forget jobs (maxmemory-policy is ${said}): set it to noeviction`, true);
}
