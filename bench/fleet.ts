/**
 * Attempts on workers of a fleet, beside the least that its parts can cost: a job of BullMQ that starts a process and is
 * waited for. Server and worker are in this process, Redis is a real one. One after the other, and many at once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { openYard } from '../test/executor/fleet/yard.ts';
import { redisMissing, startRedis, type TestRedis } from '../test/support/redis.ts';
import { allAtOnce, Attempts, oneByOne } from './attempts.ts';
import { round, type BenchOptions } from './measure.ts';

const slots = 8;

export async function benchFleet({ say, smoke }: BenchOptions): Promise<void> {
  const skipped = redisMissing();
  if (skipped !== false) return say({ workload: 'worker', skipped });
  const redis = await startRedis();
  const attempts = new Attempts();
  const yard = await openYard(redis, { slots: 1000, heard: attempts.heard });
  const bare = await openBare(redis);
  const [one, many] = smoke ? [2, 4] : [50, 200];
  try {
    await yard.startWorker({ slots });
    const ours = (): Promise<string> => attempts.run(yard.harbour);
    for (let warmUp = 0; warmUp < one; warmUp += 1) await Promise.all([bare.run(), ours()]);
    say({ workload: 'worker', attempts: one, ...(await oneByOne(one, ours, () => bare.run())) });
    const bareMs = await allAtOnce(many, () => bare.run());
    const oursMs = await allAtOnce(many, ours);
    say({
      workload: 'worker-many',
      attempts: many,
      slots,
      ms: round(oursMs),
      bare_ms: round(bareMs),
      per_attempt_ms: round(oursMs / many),
      bare_per_attempt_ms: round(bareMs / many),
    });
  } finally {
    await bare.close();
    await yard.close();
    await redis.stop();
  }
}

/** From the job to the news of its end. */
async function openBare(redis: TestRedis): Promise<{ run(): Promise<void>; close(): Promise<void> }> {
  const connect = (): Redis => new Redis(redis.url, { maxRetriesPerRequest: null });
  const connections = [connect(), connect(), connect()];
  const [forQueue, forEvents, forWorker] = connections;
  if (forQueue === undefined || forEvents === undefined || forWorker === undefined) throw new Error('no connection');
  const queue = new Queue('bare', { connection: forQueue });
  const events = new QueueEvents('bare', { connection: forEvents });
  const worker = new Worker(
    'bare',
    async () => {
      await once(spawn('true', { stdio: 'ignore', detached: true }), 'exit');
    },
    { connection: forWorker, concurrency: slots },
  );
  // Each job that is waited for listens.
  for (const one of [queue, events]) one.setMaxListeners(0);
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
  return {
    async run() {
      const job = await queue.add('step', {}, { removeOnComplete: true });
      await job.waitUntilFinished(events);
    },
    async close() {
      await Promise.all([queue.close(), events.close(), worker.close()]);
      for (const connection of connections) connection.disconnect();
    },
  };
}
