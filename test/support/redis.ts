/**
 * A real Redis for a test file, started on a free loopback port in a temporary folder and ended with the test. Where there is
 * none to start, the tests are skipped with a visible reason, except in continuous integration (CI=true), where they fail
 * unless CONTENDER_TEST_WITHOUT_REDIS=1 says that this is meant.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './postgres.ts';

export interface TestRedis {
  readonly url: string;
  readonly pid: number;
  /** A connection of the test itself. */
  readonly client: Redis;
  /** Dies without a word; `start` brings another one, which knows nothing, to the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const howToInstall = 'no Redis to test on: install one (Debian: apt-get install redis-server)';

/** The reason to skip tests on Redis, or false. Throws where they must run and cannot. */
export function redisMissing(environment: NodeJS.ProcessEnv = process.env): string | false {
  const folders = (environment['PATH'] ?? '').split(':');
  if (folders.some((folder) => existsSync(join(folder, 'redis-server')))) return false;
  if (environment['CI'] === 'true' && environment['CONTENDER_TEST_WITHOUT_REDIS'] !== '1')
    throw new Error(howToInstall);
  return howToInstall;
}

/** `settings`: beyond the defaults; nothing is written to the disk. */
export async function startRedis(settings: { readonly [name: string]: string } = {}): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'contender-redis-'));
  const port = await freePort();
  const place = { port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' };
  const given = Object.entries({ ...place, ...settings }).flatMap(([name, value]) => [`--${name}`, value]);
  const url = `redis://127.0.0.1:${port}`;
  const open = (): ChildProcess => spawn('redis-server', given, { stdio: 'ignore', cwd: folder });
  let server = open();
  const failed = once(server, 'exit').then(([code]): never => {
    throw new Error(`redis-server ended at its start on port ${port}: ${code}`);
  });
  process.once('exit', () => server.kill('SIGKILL'));
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  await Promise.race([client.ping(), failed]);
  failed.catch(() => undefined);
  const kill = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null && server.kill('SIGKILL')) await once(server, 'exit');
  };
  return {
    url,
    get pid() {
      return server.pid ?? 0;
    },
    client,
    kill,
    async start() {
      server = open();
      await client.ping();
    },
    async stop() {
      client.disconnect();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
