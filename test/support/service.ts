/**
 * One address before several servers on loopback, as a service of Kubernetes is: it chooses one of them for each connection,
 * and knows no more. A connection stays with its server for as long as it stands.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';

export interface Service {
  readonly url: string;
  /** Of each connection, the port that it was given. */
  readonly given: readonly number[];
  /** New connections are given to these, in turn. */
  leadTo(ports: readonly number[]): void;
  /** What begins so waits on its way to a server, from now on and until it is released: `POST /agent/v1/result`. */
  hold(line: string): void;
  /** How many wait. */
  held(): number;
  /** Connections end, but for those on which something waits. */
  cut(): void;
  release(): void;
  close(): void;
}

export async function openService(ports: readonly number[]): Promise<Service> {
  /** Of those who ask. */
  const sockets = new Set<Socket>();
  const given: number[] = [];
  let endpoints = ports;
  let line: string | null = null;
  const held = new Map<Socket, () => void>();
  const passed = async (from: Socket, chunk: Buffer): Promise<Buffer> => {
    const isHeld = line !== null && chunk.toString('latin1').startsWith(line);
    if (isHeld) await new Promise<void>((resolve) => held.set(from, resolve));
    return chunk;
  };
  const service = createServer((from) => {
    const port = endpoints[given.length % endpoints.length] ?? 0;
    given.push(port);
    const to = connect(port, '127.0.0.1');
    sockets.add(
      from.on('close', () => {
        sockets.delete(from);
        held.get(from)?.();
        held.delete(from);
      }),
    );
    const there = pipeline(
      from,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) yield await passed(from, chunk);
      },
      to,
    );
    // Where one side breaks off, so does the other.
    Promise.all([there, pipeline(to, from)]).catch(() => [from, to].forEach((socket) => socket.destroy()));
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  return {
    url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    given,
    leadTo: (next) => void (endpoints = next),
    hold: (beginning) => void (line = beginning),
    held: () => held.size,
    cut() {
      for (const socket of sockets) if (!held.has(socket)) socket.destroy();
    },
    release() {
      line = null;
      for (const go of held.values()) go();
      held.clear();
    },
    close() {
      service.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
