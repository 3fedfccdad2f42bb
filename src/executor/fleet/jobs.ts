/**
 * The way from a server to its workers. What is sent may never come, or come twice: the server sends it again until an agent
 * has begun it, and the desk lets one agent begin.
 */
import { createHash } from 'node:crypto';
import type { Job, Queue } from 'bullmq';
import { connectRedis, type RedisNews, type RedisPlace } from './redis.ts';

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

/** Braces: all keys of one queue are in one slot of a Redis cluster. */
export function keyPrefix({ prefix }: RedisPlace): string {
  return `{${prefix}}`;
}

export function openErrandQueues(place: RedisPlace, tell: RedisNews): ErrandQueues {
  let isClosed = false;
  const connecting = connectRedis(place, false, tell);
  const queues = new Map<string, Promise<Queue<Errand>>>();

  const open = async (name: string): Promise<Queue<Errand>> => {
    const [{ Queue: Queued }, connection] = await Promise.all([import('bullmq'), connecting]);
    const queue = new Queued<Errand>(name, {
      connection,
      prefix: keyPrefix(place),
      skipWaitingForReady: true,
      skipMetasUpdate: true,
    });
    // The connection tells of itself.
    queue.on('error', () => undefined);
    return queue;
  };
  const queueOf = (name: string): Promise<Queue<Errand>> => {
    if (isClosed) return Promise.reject(new Error('the queues are closed'));
    const queue = queues.get(name) ?? open(name);
    queues.set(name, queue);
    return queue;
  };
  return {
    async send(name, errands) {
      const queue = await queueOf(name);
      await queue.addBulk(
        errands.map((errand) => ({
          name: 'attempt',
          data: errand,
          opts: { jobId: jobIdOf(errand.id), removeOnComplete: true, removeOnFail: true },
        })),
      );
    },
    async withdraw(name, id) {
      const queue = await queueOf(name);
      await queue.remove(jobIdOf(id));
    },
    async workers(name) {
      const queue = await queueOf(name);
      return queue.getWorkersCount();
    },
    async close() {
      isClosed = true;
      const opened = await Promise.all(queues.values());
      await Promise.allSettled(opened.map((queue) => queue.close()));
      (await connecting).disconnect();
    },
  };
}

/** BullMQ's names of jobs have no colon and are no numbers. */
function jobIdOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
