/**
 * A way to a server on loopback, all of whose connections can fall still: they stand, and bring nothing any more. Where
 * they hang, not even their end, as where packets are dropped.
 */
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface StillProxy extends Pick<TcpProxy, 'port' | 'close'> {
  /** Those that there are; new ones are as before. */
  still(): void;
  /** The same, and their ends are not seen either. `alsoNew`: new ones too, until `letNew`. */
  hang(alsoNew: boolean): void;
  letNew(): void;
}

export async function startStillProxy(port: number): Promise<StillProxy> {
  let isNewHung = false;
  const proxy = await openTcpProxy('127.0.0.1', port, (from, to) => {
    if (isNewHung) for (const socket of [from, to]) socket.pause();
    else {
      from.pipe(to);
      to.pipe(from);
    }
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
    hang(alsoNew) {
      isNewHung = alsoNew;
      for (const socket of proxy.sockets) socket.unpipe().pause();
    },
    letNew() {
      isNewHung = false;
    },
    close: () => proxy.close(),
  };
}
