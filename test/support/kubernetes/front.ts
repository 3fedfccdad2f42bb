/** The HTTP of the server: connections, answers, faults, streams that can be cut. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createFaults, type Faults } from './faults.ts';
import { requestOf, type ApiRequest } from './requests.ts';
import { failure, Refusal, type Status } from './status.ts';
import type { Stream } from './watch.ts';

export type Answer =
  | { readonly kind: 'object'; readonly code: number; readonly body: object }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'stream'; readonly stream: Stream };

export type Cut =
  /** The answer ends as if it were whole. */
  | 'end'
  /** The connection is reset. */
  | 'reset'
  /** Nothing comes any more, and nobody says so. */
  | 'silence';

export interface OpenStream {
  readonly request: ApiRequest;
  bookmark(): void;
  cut(how: Cut): void;
}

export interface Front {
  readonly port: number;
  readonly faults: Faults;
  readonly requests: readonly ApiRequest[];
  readonly streams: ReadonlySet<OpenStream>;
  /** Refuses connections, and breaks those that there are. */
  leave(): Promise<void>;
  comeBack(): Promise<void>;
}

/** Comes and goes with all of its connections, always on the port that it had first. */
export async function openFront(answer: (request: ApiRequest) => Answer): Promise<Front> {
  const faults = createFaults();
  const requests: ApiRequest[] = [];
  const streams = new Set<OpenStream>();
  const sockets = new Set<Socket>();
  const handle = handlerOf({ answer, faults, requests, streams });
  const listen = async (port: number): Promise<Server> => {
    const server = createServer((message, response) => void handle(message, response));
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      // A client that breaks its connection is no fault of this server.
      socket.on('error', () => socket.destroy());
      socket.once('close', () => void sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server: Server | null = await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const { port } = address;
  return {
    port,
    faults,
    requests,
    streams,
    async leave() {
      const closed = server === null ? null : once(server, 'close');
      server?.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
      server = null;
    },
    async comeBack() {
      server ??= await listen(port);
    },
  };
}

interface Handling {
  readonly answer: (request: ApiRequest) => Answer;
  readonly faults: Faults;
  readonly requests: ApiRequest[];
  readonly streams: Set<OpenStream>;
}

function handlerOf({ answer, faults, requests, streams }: Handling) {
  return async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const breakOff = (): void => void message.socket.resetAndDestroy();
    let cutsAfter = false;
    try {
      const request = await requestOf(message);
      requests.push(request);
      const fault = faults.take(request);
      if (fault?.kind === 'refuse') throw new Refusal(fault.status);
      if (fault?.kind === 'wait') await fault.until;
      if (fault?.kind === 'cut before') return breakOff();
      cutsAfter = fault?.kind === 'cut after';
      const given = answer(request);
      if (cutsAfter) return breakOff();
      await send(request, response, given, streams);
    } catch (error) {
      if (cutsAfter) return breakOff();
      const { code, body } = statusOf(error);
      sendObject(response, code, body);
    }
  };
}

async function send(
  request: ApiRequest,
  response: ServerResponse,
  given: Answer,
  streams: Set<OpenStream>,
): Promise<void> {
  if (given.kind === 'object') return sendObject(response, given.code, given.body);
  if (given.kind === 'nothing') return void response.writeHead(204).end();
  const { stream } = given;
  const open: OpenStream = {
    request,
    bookmark: () => stream.bookmark?.(response),
    cut: (how) => cut(response, how),
  };
  streams.add(open);
  response.once('close', () => void streams.delete(open));
  response.writeHead(200, { 'content-type': stream.type, 'cache-control': 'no-cache, private' });
  // What is asked for is promised before the first of it is there.
  response.flushHeaders();
  await stream.write(response);
}

function statusOf(error: unknown): { readonly code: number; readonly body: Status } {
  if (error instanceof Refusal) return { code: error.status.code, body: error.status };
  // A mistake of the fake is to be seen in the test that met it.
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 500, body: failure(500, 'InternalError', `the fake is at fault: ${told}`) };
}

function sendObject(response: ServerResponse, code: number, body: object): void {
  const retryAfter =
    'details' in body &&
    typeof body.details === 'object' &&
    body.details !== null &&
    'retryAfterSeconds' in body.details
      ? { 'retry-after': String(body.details.retryAfterSeconds) }
      : {};
  response.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-cache, private', ...retryAfter });
  response.end(JSON.stringify(body));
}

function cut(response: ServerResponse, how: Cut): void {
  if (how === 'end') response.end();
  if (how === 'reset') response.socket?.resetAndDestroy();
  // What is written from now on goes nowhere, and the connection stays.
  if (how === 'silence') Object.assign(response, { write: () => true, end: () => response });
}
