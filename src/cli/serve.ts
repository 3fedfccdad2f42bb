/** `contender serve`: the server, until it is told to stop. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { loadConfig, type Config } from '../config.ts';
import { openSystem } from '../main.ts';
import { createServer, serverLimits } from '../server/server.ts';
import { version } from '../version.ts';
import { consoleLog } from './console-log.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { harmless } from './terminal.ts';

export interface RunningServer {
  readonly url: string;
  readonly apiToken: string;
  close(): Promise<void>;
}

export async function serve(directory: string, options: { readonly port: number | null }): Promise<ExitStatus> {
  const config = loadConfig(resolve(directory), process.env);
  const server = await startServer({ ...config, server: { ...config.server, port: options.port ?? config.server.port } }, 'info', (line) => process.stdout.write(`${harmless(line)}\n`));
  process.stdout.write(`Contender ${version} is at ${server.url}, watching ${config.repositories.map((each) => each.name).join(', ')}.\n`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await server.close();
  return exitStatus.success;
}

export async function startServer(config: Config, level: 'info' | 'warn' | 'silent', print: (line: string) => void): Promise<RunningServer> {
  const log = consoleLog(level);
  let url: string | null = null;
  const system = await openSystem({ config, log, print, publicUrl: () => url });
  try {
    const apiToken = config.server.apiToken ?? (await keptToken(config.stateDirectory));
    const { conductor, journal, logs, projects, clock } = system;
    const app = await createServer({ conductor, journal, logs, projects, clock, apiToken, version, log });
    await app.listen({ host: config.server.host, port: config.server.port });
    const address = app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : config.server.port;
    url = config.server.publicUrl ?? `http://${config.server.host.includes(':') ? `[${config.server.host}]` : config.server.host}:${port}`;
    await conductor.start({ watch: true });
    return {
      url,
      apiToken,
      async close() {
        const drained = app.close();
        await Promise.race([drained, after(serverLimits.drainMs)]);
        await system.close();
      },
    };
  } catch (error) {
    await system.close();
    throw error;
  }
}

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
  await mkdir(directory, { recursive: true });
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return token;
}
