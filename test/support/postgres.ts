/**
 * A real PostgreSQL for a test file: the one of CONTENDER_TEST_POSTGRES_URL, or one of its own, started on a free
 * loopback port in a temporary folder, as an unprivileged user, with `fsync` on, and ended with the test. Each test gets
 * a database of its own. Where there is no server to start, the tests are skipped with a visible reason, except in
 * continuous integration (CI=true), where they fail unless CONTENDER_TEST_WITHOUT_POSTGRES=1 says that this is meant.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';

export interface TestPostgres {
  /** URL of a new database: empty, or a copy of one that nobody is connected to. */
  database(copyOf?: string): Promise<string>;
  /** Of its first process; null where the server was given. */
  readonly pid: number | null;
  stop(): Promise<void>;
}

/** The oldest that the journal is proved on. */
const versionMin = 15;

const howToInstall =
  'no PostgreSQL server of version 15 or newer to test on: install one (Debian: apt-get install postgresql-15), or set CONTENDER_TEST_POSTGRES_URL to one that may create databases';

/** The reason to skip tests on PostgreSQL, or false. Throws where they must run and cannot. */
export function postgresMissing(environment: NodeJS.ProcessEnv = process.env): string | false {
  if (environment['CONTENDER_TEST_POSTGRES_URL'] !== undefined || programs() !== null) return false;
  if (environment['CI'] === 'true' && environment['CONTENDER_TEST_WITHOUT_POSTGRES'] !== '1')
    throw new Error(howToInstall);
  return howToInstall;
}

/** `settings`: of the server, beyond its defaults; a given server has its own. */
export async function startPostgres(settings: { readonly [name: string]: string } = {}): Promise<TestPostgres> {
  const running = process.env['CONTENDER_TEST_POSTGRES_URL'];
  if (running !== undefined)
    return { database: (copyOf) => createDatabase(running, copyOf), pid: null, stop: () => Promise.resolve() };
  const bin = programs();
  if (bin === null) throw new Error(howToInstall);
  const folder = mkdtempSync(join(tmpdir(), 'contender-postgres-'));
  const user = serverUser(folder);
  const data = join(folder, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'contender', '-A', 'trust', '-E', 'UTF8', '--no-sync'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: folder,
    ...user,
  });
  const port = await freePort();
  const place = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: folder, fsync: 'on' };
  const given = Object.entries({ ...place, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...given], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: folder,
    ...user,
  });
  const stopAtExit = (): void => void server.kill('SIGQUIT');
  process.once('exit', stopAtExit);
  const log = collect(server);
  const url = `postgresql://contender@127.0.0.1:${port}/postgres`;
  await accepting(url, server, log);
  return {
    database: (copyOf) => createDatabase(url, copyOf),
    pid: server.pid ?? null,
    async stop() {
      process.off('exit', stopAtExit);
      // SIGQUIT is PostgreSQL's immediate shutdown: without a checkpoint of what is thrown away anyway.
      if (server.exitCode === null && server.kill('SIGQUIT')) await once(server, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One statement on its own connection, as an operator would do it. */
export async function runSql<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

async function createDatabase(server: string, copyOf?: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const template = copyOf === undefined ? 'template1' : new URL(copyOf).pathname.slice(1);
  await runSql(server, `create database ${name} template ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Debian's folders, newest first, and what is on the path. */
function programs(): string | null {
  const debian = '/usr/lib/postgresql';
  const installed = existsSync(debian) ? readdirSync(debian).filter((version) => Number(version) >= versionMin) : [];
  const versions = installed.sort((left, right) => Number(right) - Number(left));
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ?? null;
}

/** PostgreSQL refuses to run as root: then the folder and the server belong to `postgres`, or to `nobody`. */
function serverUser(folder: string): { uid: number; gid: number } | Record<string, never> {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = users.find((user) => user.startsWith('postgres:')) ?? users.find((user) => user.startsWith('nobody:'));
  const [uid, gid] = (line ?? '').split(':').slice(2, 4).map(Number);
  if (uid === undefined || gid === undefined)
    throw new Error('PostgreSQL does not run as root, and there is no other user');
  chownSync(folder, uid, gid);
  chmodSync(folder, 0o700);
  return { uid, gid };
}

/** Below those that the kernel gives to whoever asks for any, so that nobody gets it before it is used. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(12_000, 32_000);
    const probe = createServer().listen(port, '127.0.0.1');
    try {
      await once(probe, 'listening');
    } catch {
      continue;
    }
    probe.close();
    await once(probe, 'close');
    return port;
  }
  throw new Error('no port is free');
}

function collect(server: ChildProcess): () => string {
  let text = '';
  server.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-20_000);
  });
  return () => text;
}

async function accepting(url: string, server: ChildProcess, log: () => string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended at its start:\n${log()}`);
    try {
      await runSql(url, 'select 1');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`PostgreSQL accepts no connection:\n${log()}`);
}
