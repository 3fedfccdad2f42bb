/** A way to a server that breaks each of its connections after so many bytes, of both directions together. */
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface CuttingProxy extends Pick<TcpProxy, 'port' | 'close'> {
  /** Connections that were broken. */
  cuts(): number;
}

/** `bytes`: of each connection in turn, over and over. */
export async function startCuttingProxy(host: string, port: number, bytes: readonly number[]): Promise<CuttingProxy> {
  let [connections, cuts] = [0, 0];
  const proxy = await openTcpProxy(host, port, (from, to) => {
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
    ] as const)
      socket
        .on('data', (chunk: Buffer) => {
          // What is passed on last ends in the middle of something.
          if (!other.write(chunk.subarray(0, left))) socket.pause();
          left -= chunk.length;
          if (left <= 0) breakOff();
        })
        .on('drain', () => other.resume())
        .on('end', () => other.end());
  });
  return { port: proxy.port, cuts: () => cuts, close: () => proxy.close() };
}
