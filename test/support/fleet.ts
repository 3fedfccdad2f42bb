/** Steps on a worker beside the server, for a whole test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleetWorker } from '../../src/executor/fleet/worker.ts';
import { baseEnvironment } from '../../src/executor/local/environment.ts';
import { freePort } from './postgres.ts';
import type { TestRedis } from './redis.ts';

export interface TestFleet {
  /** The section `executor` of the server's settings. */
  readonly executor: object;
  /** What the server's environment has for it. */
  readonly environment: { readonly [name: string]: string };
  end(): Promise<void>;
}

/** A worker that takes all steps, of up to four at once. */
export async function startTestFleet(redis: TestRedis): Promise<TestFleet> {
  const port = await freePort();
  const prefix = `fleet-${port}`;
  const directory = mkdtempSync(join(tmpdir(), 'worker-'));
  const worker = await startFleetWorker({
    redis: { url: redis.url, prefix },
    queue: 'default',
    slots: 4,
    serverUrl: `http://127.0.0.1:${port}`,
    place: 'worker test',
    directory,
    nodeModules: null,
    environment: baseEnvironment(process.env),
    clock: { now: Date.now },
    say: () => undefined,
  });
  return {
    executor: { fleet: { prefix, listen: { host: '127.0.0.1', port } } },
    environment: { CONTENDER_REDIS_URL: redis.url },
    async end() {
      worker.end();
      worker.abandon();
      await worker.drain();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
