/** A fleet at a real Redis: an executor whose dispatches go there, and workers in this process that take them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openErrandQueues } from '../../../src/executor/fleet/jobs.ts';
import { Dispatches } from '../../../src/executor/fleet/dispatches.ts';
import { startFleetWorker, type FleetWorker, type FleetWorkerOptions } from '../../../src/executor/fleet/worker.ts';
import { openHarbour, type Harbour, type HarbourOptions } from '../harbour.ts';
import type { TestRedis } from '../../support/redis.ts';

export interface YardOptions extends Pick<HarbourOptions, 'files' | 'slots' | 'clock' | 'heard'> {
  readonly startMs?: number;
  readonly lostMs?: number;
  /** Instead of the Redis' own: what stands in front of it. */
  readonly redisUrl?: string;
  /** Until a command to Redis is given up. */
  readonly commandMs?: number;
  /** Sets something before the server for agents, and gives its port. */
  readonly behind?: (port: number) => Promise<number>;
  /** Until a question of an agent that waits for something is answered. */
  readonly waitMs?: number;
}

export interface Yard {
  readonly harbour: Harbour;
  /** Of the keys in Redis. */
  readonly prefix: string;
  /** What the connections of the server and of the workers told. */
  readonly news: string[];
  readonly said: string[];
  startWorker(options?: Partial<FleetWorkerOptions>): Promise<FleetWorker>;
  close(): Promise<void>;
}

let yards = 0;

export async function openYard(redis: TestRedis, options: YardOptions = {}): Promise<Yard> {
  const folder = mkdtempSync(join(tmpdir(), 'yard-'));
  const [news, said]: [string[], string[]] = [[], []];
  const { startMs = 60_000, lostMs = 60_000, redisUrl = redis.url, commandMs, behind, ...rest } = options;
  const place = { url: redisUrl, prefix: `test-${process.pid}-${(yards += 1)}` };
  const harbour = await openHarbour({
    ...rest,
    listen: { host: '127.0.0.1', seenAs: '127.0.0.1', ...(behind === undefined ? {} : { behind }) },
    openPlacing: (parts) => {
      const queues = openErrandQueues(place, (text) => void news.push(text), commandMs);
      return new Dispatches({ ...parts, queues, queue: 'default', startMs, lostMs });
    },
  });
  const workers: FleetWorker[] = [];
  return {
    harbour,
    prefix: place.prefix,
    news,
    said,
    async startWorker(changes = {}) {
      const worker = await startFleetWorker({
        redis: place,
        queue: 'default',
        slots: 4,
        serverUrl: harbour.agentUrl,
        place: 'worker test',
        directory: join(folder, `worker-${workers.length}`),
        nodeModules: null,
        environment: { PATH: process.env['PATH'] ?? '' },
        clock: { now: Date.now },
        say: (text) => void said.push(text),
        ...changes,
      });
      workers.push(worker);
      return worker;
    },
    async close() {
      for (const worker of workers) {
        worker.end();
        worker.abandon();
      }
      await Promise.all(workers.map((worker) => worker.drain()));
      await harbour.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
