/** A way to a server on loopback, all of whose connections can fall still: they stand, and bring nothing any more. */
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface StillProxy extends Pick<TcpProxy, 'port' | 'close'> {
  /** Those that there are; new ones are as before. */
  still(): void;
}

export async function startStillProxy(port: number): Promise<StillProxy> {
  const proxy = await openTcpProxy('127.0.0.1', port, (from, to) => {
    from.pipe(to);
    to.pipe(from);
  });
  return {
    port: proxy.port,
    still() {
      for (const socket of proxy.sockets) {
        socket.unpipe();
        // Read, so that its end is seen, and dropped.
        socket.resume();
      }
    },
    close: () => proxy.close(),
  };
}
