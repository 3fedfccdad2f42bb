/**
 * One request, with limits; the answer's body is read only where it is asked for. Connections are kept for the next
 * request for a while: to agree on a secret anew costs more than all else in a look. A name is resolved, and its address
 * checked, when a connection is made, so one that is kept leads to the address that was checked, whatever the name means
 * by then, and is used by those alone for whom it was checked. None is kept for long, so that a name which means another
 * host is seen to.
 */
import { Agent as PlainAgent, request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { sensorLimits, type Reach } from './sensors.ts';

export interface Ask {
  readonly method: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly lookup?: LookupFunction;
  /** Who may use the same connections: one reach of looks, whose `lookup` is one, or the stores. */
  readonly keep: Reach | 'store';
  /** Read the body, up to the limit. */
  readonly body?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** Empty where it was not asked for. */
  readonly body: string;
  /** The IP address that answered; null where the connection was gone too soon to tell. */
  readonly address: string | null;
}

type Agents = Readonly<Record<'http:' | 'https:', PlainAgent>>;

const agents: Readonly<Record<Ask['keep'], Agents>> = {
  internal: newAgents(),
  public: newAgents(),
  store: newAgents(),
};

function newAgents(): Agents {
  const options = { keepAlive: true, timeout: sensorLimits.idleMs, maxFreeSockets: sensorLimits.idleMax };
  return { 'http:': keptBriefly(new PlainAgent(options)), 'https:': keptBriefly(new SecureAgent(options)) };
}

/** Keeps no connection that is old, and few at all. */
function keptBriefly<A extends PlainAgent>(agent: A): A {
  const firstKeptAt = new WeakMap<Duplex, number>();
  const keep = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => {
    const now = performance.now();
    const since = firstKeptAt.get(socket) ?? now;
    firstKeptAt.set(socket, since);
    const idle = Object.values(agent.freeSockets).reduce((sum, sockets = []) => sum + sockets.length, 0);
    return idle < sensorLimits.idleMax && now - since < sensorLimits.keptMs && keep(socket);
  };
  return agent;
}

/** Rejects where there is no answer in time. */
export function send(url: URL, ask: Ask): Promise<Answer> {
  const isSecure = url.protocol === 'https:';
  const signal = AbortSignal.timeout(sensorLimits.timeoutMs);
  return sendOver(url, ask, { agent: agents[ask.keep][isSecure ? 'https:' : 'http:'], signal });
}

function sendOver(
  url: URL,
  ask: Ask,
  over: Pick<RequestOptions, 'signal'> & { readonly agent: PlainAgent | false },
): Promise<Answer> {
  const { method, headers, lookup, body = false } = ask;
  const options: RequestOptions = {
    ...over,
    method,
    headers: { 'user-agent': 'contender', ...headers },
    ...(lookup === undefined ? {} : { lookup }),
  };
  return new Promise((resolve, reject) => {
    const make = url.protocol === 'https:' ? secureRequest : plainRequest;
    let isAnswered = false;
    const asked = make(url, options, (incoming) => {
      isAnswered = true;
      const address = incoming.socket.remoteAddress ?? null;
      readBody(incoming, body).then((text) => resolve(answerOf(incoming, text, address)), reject);
    });
    asked.on('error', (error) => {
      if (!isAnswered && asked.reusedSocket && isLost(error)) resolve(sendOver(url, ask, { ...over, agent: false }));
      else reject(error);
    });
    asked.end();
  });
}

/** The other side may just have closed a connection that was kept, which says nothing about what is asked. */
function isLost(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

async function readBody(incoming: IncomingMessage, wanted: boolean): Promise<string> {
  if (!wanted) {
    skipBody(incoming);
    return '';
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > sensorLimits.answerBytesMax)
      throw new Error(`the answer is longer than ${sensorLimits.answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What comes after the headers is nobody's: where it is more than a little, the connection ends with them. */
function skipBody(incoming: IncomingMessage): void {
  let bytes = 0;
  const tooLong = setTimeout(() => incoming.destroy(), sensorLimits.skippedMs).unref();
  incoming
    .on('error', () => undefined)
    .on('close', () => clearTimeout(tooLong))
    .on('data', (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > sensorLimits.skippedBytesMax) incoming.destroy();
    });
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, body: string, address: string | null): Answer {
  const header = (name: string): string | null => {
    const value = headers[name];
    return typeof value === 'string' ? value : null;
  };
  return { status: statusCode, header, body, address };
}

/** The first cause says most: `fetch failed` and the like say nothing. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return `no answer in ${sensorLimits.timeoutMs / 1000} s`;
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((each) => reasonOf(each)).join(', ');
  return error.message;
}
