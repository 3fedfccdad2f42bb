/** A receiver of notifications on this machine: keeps what arrives, and answers as it is told, else with 200. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Notification } from '../../src/notify/notify.ts';

export interface Receiver {
  readonly url: string;
  readonly arrived: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
  /** Of the next requests; one that does nothing never answers. */
  readonly answers: ((response: ServerResponse) => void)[];
  close(): void;
}

/** `host`: where it listens; loopback, unless given. */
export async function openReceiver(host = '127.0.0.1'): Promise<Receiver> {
  const arrived: Receiver['arrived'] = [];
  const answers: Receiver['answers'] = [];
  const server = createServer((request, response) => {
    void take(request, response);
  });
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    arrived.push({ headers: request.headers, body: await text(request) });
    const answer = answers.shift() ?? status(200);
    answer(response);
  };
  server.listen(0, host);
  await once(server, 'listening');
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}/services/T0/geheim`,
    arrived,
    answers,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end();

export const late: Notification = {
  version: 1,
  id: '01run/deadline-missed',
  event: 'deadline-missed',
  at: '2026-11-16T08:00:00.000Z',
  summary: 'weekly-churn #12 missed its deadline',
  reason: 'It has not ended 6 h 0 min after its start, and goes on.',
  repository: 'shop/models',
  pipeline: 'weekly-churn',
  run: {
    id: '01run',
    number: 12,
    url: 'https://contender.example/runs/01run',
    sha: 'a'.repeat(40),
    trigger: 'schedule',
    state: 'running',
    startedAt: '2026-11-16T02:00:00.000Z',
    logicalDate: '2026-11-09T02:00:00.000Z',
  },
};
