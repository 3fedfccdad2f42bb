/**
 * The way from a server to its workers. What is sent may never come, or come twice: the server sends it again until an agent
 * has begun it, and the desk lets one agent begin.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { connectRedis, renewing, type RedisNews, type RedisPlace } from './redis.ts';

/** What a worker is sent: enough to ask the server for the rest. */
export interface Errand {
  readonly id: string;
  /** Good for the beginning alone. */
  readonly token: string;
}

export interface ErrandQueues {
  /** Those that wait there already are not sent again. Rejects where Redis does not answer. */
  send(queue: string, errands: readonly Errand[]): Promise<void>;
  /** So that no worker takes it any more; what one has taken is refused at the desk. Rejects as `send`. */
  withdraw(queue: string, id: string): Promise<void>;
  /** How many workers serve it. Rejects as `send`. */
  workers(queue: string): Promise<number>;
  close(): Promise<void>;
}

export type ErrandJob = Job<Errand>;

const closeMs = 3000;
const readyMs = 1000;

async function untilReady(connection: Redis): Promise<void> {
  if (connection.status === 'ready') return;
  await once(connection, 'ready', { signal: AbortSignal.timeout(readyMs) }).catch(() => {
    throw new Error('Redis does not answer');
  });
}

/** Braces: all keys of one queue are in one slot of a Redis cluster. */
export function keyPrefix({ prefix }: RedisPlace): string {
  return `{${prefix}}`;
}

/** `commandMs`: until a command is given up. */
export function openErrandQueues(place: RedisPlace, tell: RedisNews, commandMs?: number): ErrandQueues {
  const closing = new AbortController();
  const connecting = connectRedis(place, { waits: false, tell, end: closing.signal, commandMs });
  const queues = new Map<string, Promise<Queue<Errand>>>();

  const open = async (name: string): Promise<Queue<Errand>> => {
    const [{ Queue: Queued }, connection] = await Promise.all([import('bullmq'), connecting]);
    const queue = new Queued<Errand>(name, { connection, prefix: keyPrefix(place), skipMetasUpdate: true });
    // The connection tells of itself.
    queue.on('error', () => undefined);
    await queue.waitUntilReady();
    return queue;
  };
  const queueOf = async (name: string): Promise<Queue<Errand>> => {
    if (closing.signal.aborted) throw new Error('the queues are closed');
    // One that is made while there is no connection stays without one.
    await untilReady(await connecting);
    const queue = queues.get(name) ?? open(name);
    queues.set(name, queue);
    queue.catch(() => queues.delete(name));
    return queue;
  };
  const withQueue = async <T>(name: string, use: (queue: Queue<Errand>) => Promise<T>): Promise<T> => {
    const queue = await queueOf(name);
    return renewing(await connecting, () => use(queue));
  };
  return {
    async send(name, errands) {
      const jobs = errands.map((errand) => ({
        name: 'attempt',
        data: errand,
        opts: { jobId: jobIdOf(errand.id), removeOnComplete: true, removeOnFail: true },
      }));
      await withQueue(name, (queue) => queue.addBulk(jobs));
    },
    async withdraw(name, id) {
      await withQueue(name, (queue) => queue.remove(jobIdOf(id)));
    },
    workers: (name) => withQueue(name, (queue) => queue.getWorkersCount()),
    async close() {
      const closed = Promise.allSettled([...queues.values()].map(async (queue) => (await queue).close()));
      // A Redis that is away has nothing to hear.
      await Promise.race([closed, pause(closeMs, undefined, { ref: false })]);
      closing.abort();
    },
  };
}

/** BullMQ's names of jobs have no colon and are no numbers. */
function jobIdOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
