/**
 * Attempts on workers of a fleet, beside the least that its parts can cost: a job of BullMQ that starts a process and is
 * waited for. Server and worker are in this process, Redis is a real one. One after the other, and many at once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { openYard, type Yard } from '../test/executor/fleet/yard.ts';
import { command, specOf } from '../test/executor/workshop.ts';
import { startRedis, type TestRedis } from '../test/support/redis.ts';
import { percentile, round, timed, type BenchOptions } from './measure.ts';

const slots = 8;

export async function benchFleet({ say, smoke }: BenchOptions): Promise<void> {
  const redis = await startRedis();
  const yard = await openYard(redis, { slots: 1000 });
  const bare = await openBare(redis);
  const [one, many] = smoke ? [2, 4] : [50, 200];
  try {
    await yard.startWorker({ slots });
    for (let warmUp = 0; warmUp < one; warmUp += 1) await Promise.all([bare.run(), attempt(yard)]);
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let each = 0; each < one; each += 1) {
      theirs.push(await timed(() => bare.run()));
      ours.push(await timed(() => attempt(yard)));
    }
    say({
      workload: 'worker',
      attempts: one,
      ms_p50: round(percentile(ours, 0.5)),
      ms_p95: round(percentile(ours, 0.95)),
      bare_ms_p50: round(percentile(theirs, 0.5)),
      bare_ms_p95: round(percentile(theirs, 0.95)),
    });
    const all = Array.from({ length: many });
    const bareMs = await timed(() => Promise.all(all.map(() => bare.run())));
    const oursMs = await timed(() => Promise.all(all.map(() => attempt(yard))));
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

/** From the wish to the report. */
async function attempt({ harbour }: Yard): Promise<void> {
  const spec = specOf(command('true'));
  await harbour.executor.start(spec);
  const { outcome } = await harbour.finished(spec.attemptId);
  if (outcome.kind !== 'succeeded') throw new Error(`an attempt ended as ${JSON.stringify(outcome)}`);
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
