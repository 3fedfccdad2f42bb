/** `contender pools`: who holds slots and who waits for them, by the server that is at work in the folder. */
import { loadConfig, type Config } from '../config/config.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { readServerAddress } from './server-address.ts';
import { connectServer, type PoolInUse } from './server-client.ts';
import { paint } from './terminal.ts';

export async function pools(directory: string, options: { readonly json: boolean }): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  const url = await readServerAddress(config.stateDirectory);
  const found = url === null ? declared(config) : await (await connectServer(config, url)).pools();
  if (url === null) process.stderr.write('No server is at work here: these are the pools of contender.yaml.\n');
  const width = Math.max(...found.map((pool) => nameOf(pool).length), 0);
  for (const pool of found) {
    const line = `${paint('bold', nameOf(pool).padEnd(width))}  ${wordsOf(pool)}`;
    process.stdout.write(`${options.json ? JSON.stringify(pool) : line}\n`);
  }
  return exitStatus.success;
}

function declared(config: Config): readonly PoolInUse[] {
  return [...config.pools].map(([pool, slots]) => ({ pool, slots, taken: 0, waiting: 0 }));
}

function nameOf({ pool }: PoolInUse): string {
  return pool ?? 'executor';
}

function wordsOf({ slots, taken, waiting }: PoolInUse): string {
  const runs = waiting === 1 ? '1 run waits' : `${waiting} runs wait`;
  return `${taken} of ${slots} taken${waiting === 0 ? '' : `, ${runs}`}`;
}
