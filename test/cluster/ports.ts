/** Says who has a port that the cluster needs, before a component ends for it with a page of log. */
import { linesOf, Trouble } from './command.ts';
import type { Daemon } from './daemons.ts';

export async function assertPortsFree(daemons: readonly Daemon[]): Promise<void> {
  const listeners = (await linesOf('ss', ['-Hltnp'])).map((line) => line.trim().split(/\s+/));
  for (const { name, listens } of daemons)
    for (const address of listens) {
      const other = listeners.find(([, , , local = '']) => overlap(local, address));
      if (other === undefined) continue;
      const who = /"([^"]+)",pid=(\d+)/.exec(other.at(-1) ?? '');
      const holder = who === null ? 'another program' : `${who[1]} (process ${who[2]})`;
      throw new Trouble(`${name} listens on ${address}, which ${holder} has: end that one first`);
    }
}

/** A listener on every address has the port on each. */
function overlap(taken: string, wanted: string): boolean {
  const port = wanted.replace(/^.*:/, '');
  return [wanted, `0.0.0.0:${port}`, `*:${port}`, `[::]:${port}`].includes(taken);
}
