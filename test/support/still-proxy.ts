/** A way to a server on loopback, all of whose connections can fall still: they stand, and bring nothing any more. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface StillProxy {
  readonly port: number;
  /** Those that there are; new ones are as before. */
  still(): void;
  close(): void;
}

export async function startStillProxy(port: number): Promise<StillProxy> {
  const open = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          open.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    still() {
      for (const socket of open) {
        socket.unpipe();
        // Read, so that its end is seen, and dropped.
        socket.resume();
      }
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
