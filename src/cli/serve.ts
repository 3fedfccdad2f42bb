/** `contender serve`: the server, until it is told to stop. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Standing } from '../conductor/conductor.ts';
import { loadConfig, type Config } from '../config/config.ts';
import { openSystem } from '../main.ts';
import { channelMistakes } from '../notify/channels.ts';
import { createServer, serverLimits } from '../server/server.ts';
import { ProblemError } from '../std/problem.ts';
import { version } from '../version.ts';
import { consoleLog } from './console-log.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { outliveReader } from './output.ts';
import { removeServerAddress, writeServerAddress } from './server-address.ts';
import { mindRepository } from './sources.ts';
import { makeStateFolder } from './state-folder.ts';
import { harmless } from './terminal.ts';

export interface RunningServer {
  readonly url: string;
  readonly apiToken: string;
  /** As it was at its start; /healthz says how it is. */
  readonly standing: Standing;
  close(): Promise<void>;
}

export async function serve(directory: string, options: { readonly port: number | null }): Promise<ExitStatus> {
  const { server, ...config } = loadConfig(directory, process.env);
  outliveReader();
  for (const repository of config.repositories) mindRepository(repository.url);
  const port = options.port ?? server.port;
  const say = (line: string): void => void process.stdout.write(`${harmless(line)}\n`);
  // From the first moment on: whoever reads that it is there may already tell it to stop.
  const signalled = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  // A person at a terminal reads what went wrong; the rest is for a program.
  const level = process.stderr.isTTY ? 'warn' : 'info';
  const running = await startServer({ ...config, server: { ...server, port } }, level, say);
  const names = config.repositories.map((each) => each.name).join(', ');
  say(`Contender ${version} is at ${running.url}, watching ${names}.`);
  const { conducts, conductor } = running.standing;
  if (!conducts && conductor !== null) say(standsBy(conductor));
  // `disconnect` comes only to a server that another program started with a channel, when that program ends.
  await Promise.race([signalled, once(process, 'disconnect')]);
  say('Stopping.');
  await running.close();
  // Whoever listens for the end of a channel is kept alive by it.
  if (process.connected) process.disconnect();
  return exitStatus.success;
}

function standsBy({ pid, host, since }: NonNullable<Standing['conductor']>): string {
  const time = new Date(since).toISOString();
  return `It stands by: process ${pid} on ${host} conducts, since ${time}. Should that end, this one takes over.`;
}

/** Rejects with a `ProblemError`: `folder-locked`, `listen-refused`, those of the journal. */
async function startServer(
  config: Config,
  level: 'info' | 'warn' | 'silent',
  print: (line: string) => void,
): Promise<RunningServer> {
  const log = consoleLog(level);
  // Found now, and not when somebody should be told.
  for (const { channel, mistake } of channelMistakes(config.notifications))
    log.warn({ channel, error: mistake }, 'nobody can be told over this channel');
  let url: string | null = null;
  await makeStateFolder(config.stateDirectory);
  const system = await openSystem({ config, log, print, publicUrl: () => url });
  try {
    const { apiToken: givenToken, publicUrl } = config.server;
    const apiToken = givenToken ?? (await keptToken(config.stateDirectory));
    const { conductor, journal, logs, artifacts, projects, clock } = system;
    const { behindProxy } = config.server;
    const hosts = behindProxy ? null : hostsOf(config);
    const app = await createServer({
      conductor,
      journal,
      logs,
      artifacts,
      projects,
      clock,
      logsKeptMs: config.retention.logsMs,
      artifactsKeptMs: config.retention.artifactsMs,
      apiToken,
      version,
      publicUrl,
      log,
      behindProxy,
      hosts,
    });
    const here = await listen(app, config.server);
    url = publicUrl ?? here;
    await conductor.start({ watch: true });
    await writeServerAddress(config.stateDirectory, here);
    return {
      url,
      apiToken,
      standing: conductor.standing(),
      async close() {
        await removeServerAddress(config.stateDirectory);
        await Promise.race([app.close(), after(serverLimits.drainMs)]);
        // Nothing limits the time of a half-sent request any more: it would keep the process for as long as it is open.
        app.server.closeAllConnections();
        await system.close();
      },
    };
  } catch (error) {
    await system.close();
    throw error;
  }
}

/** The names by which people and webhooks may call this server. */
function hostsOf({ server }: Config): ReadonlySet<string> {
  const own = server.publicUrl === null ? [] : [new URL(server.publicUrl).hostname];
  return new Set(['localhost', '127.0.0.1', '[::1]', ...own]);
}

/** Gives the address for this machine. */
async function listen(app: FastifyInstance, { host, port }: Config['server']): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const help = listenHelp[code];
    if (help === undefined) throw error;
    const message = `the server cannot listen on ${host}, port ${port}: ${help.why}`;
    throw new ProblemError({ code: 'listen-refused', message, where: null, help: help.what });
  }
  const address = app.server.address();
  const listening = typeof address === 'object' && address !== null ? address.port : port;
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${listening}`;
}

const anotherPort = 'Give another port with --port or `server.port`, or stop the other program.';
const listenHelp: Readonly<Record<string, { readonly why: string; readonly what: string }>> = {
  EADDRINUSE: { why: 'another program has that port', what: anotherPort },
  EACCES: { why: 'this user may not', what: 'Give a port from 1024 on with --port or `server.port`.' },
  EADDRNOTAVAIL: { why: 'this machine has no such address', what: 'Set `server.host` to an address of this machine.' },
  ENOTFOUND: { why: 'the name of the host is not known', what: 'Set `server.host` to an address of this machine.' },
};

function after(ms: number): Promise<void> {
  return new Promise((resolveTimer) => {
    setTimeout(resolveTimer, ms).unref();
  });
}

/** Made at the first start, readable by its owner alone; the commands on this machine use it. */
async function keptToken(directory: string): Promise<string> {
  const path = join(directory, 'api-token');
  const known = await readFile(path, 'utf8').catch(() => '');
  if (known.trim() !== '') return known.trim();
  const token = randomBytes(24).toString('base64url');
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return token;
}
