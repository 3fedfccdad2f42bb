/** A way to a server that breaks each of its connections after so many bytes, of both directions together. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** Connections that were broken. */
  cuts(): number;
  close(): void;
}

/** `bytes`: of each connection in turn, over and over. */
export async function startCuttingProxy(host: string, port: number, bytes: readonly number[]): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let [connections, cuts] = [0, 0];
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    let left = bytes[connections % bytes.length] ?? 0;
    connections += 1;
    const breakOff = (): void => {
      if (from.destroyed) return;
      cuts += 1;
      from.resetAndDestroy();
      to.resetAndDestroy();
    };
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
        })
        .on('data', (chunk: Buffer) => {
          // What is passed on last ends in the middle of something.
          if (!other.write(chunk.subarray(0, left))) socket.pause();
          left -= chunk.length;
          if (left <= 0) breakOff();
        })
        .on('drain', () => other.resume())
        .on('end', () => other.end());
    }
  }).listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cuts: () => cuts,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
