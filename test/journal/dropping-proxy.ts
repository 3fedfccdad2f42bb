/**
 * A way to PostgreSQL that can lose an answer: when told, it passes the next `commit` on, waits until the server has
 * answered it, and ends the connection without passing the answer back. Whoever committed cannot know.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** `for ever`: the connection stands, and nothing more comes on it; of `every`, on no other either, old or new. */
export type Dropped = 'answer' | 'question' | 'answer for ever' | 'every answer for ever';

export interface DroppingProxy {
  /** The database through the proxy. */
  readonly url: string;
  /** The commit reaches the server and its answer is lost (`answer`), or the commit itself is lost (`question`). */
  dropNext(what: Dropped): void;
  readonly dropped: () => number;
  stop(): Promise<void>;
}

export async function startDroppingProxy(database: string): Promise<DroppingProxy> {
  const target = new URL(database);
  const sockets = new Set<Socket>();
  let next: Dropped | null = null;
  let isMute = false;
  let dropped = 0;
  const server = createServer((client) => {
    const behind = connect(Number(target.port), target.hostname);
    let losing: Dropped | null = null;
    const end = (): void => {
      client.destroy();
      behind.destroy();
    };
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (bytes) => {
      // The simple query "commit", as pg sends it.
      const lose = bytes.includes('commit\0') ? next : null;
      if (lose !== null) {
        next = null;
        losing = lose;
        dropped += 1;
      }
      if (lose === 'question') end();
      else behind.write(bytes);
    });
    behind.on('data', (bytes) => {
      if (losing === 'every answer for ever') isMute = true;
      if (losing === 'answer') end();
      else if (losing === null && !isMute) client.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = new URL(database);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return {
    url: url.href,
    dropNext: (what) => {
      next = what;
    },
    dropped: () => dropped,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
