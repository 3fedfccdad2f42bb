/** One request on a connection of its own, with limits; the answer's body is read only where it is asked for. */
import { request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { sensorLimits } from './sensors.ts';

export interface Ask {
  readonly method: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly lookup?: LookupFunction;
  /** Read the body, up to the limit. */
  readonly body?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** Empty where it was not asked for. */
  readonly body: string;
}

/** Rejects where there is no answer in time. */
export function send(url: URL, { method, headers, lookup, body = false }: Ask): Promise<Answer> {
  const options: RequestOptions = {
    method,
    agent: false,
    headers: { 'user-agent': 'contender', ...headers },
    signal: AbortSignal.timeout(sensorLimits.timeoutMs),
    ...(lookup === undefined ? {} : { lookup }),
  };
  return new Promise((resolve, reject) => {
    const make = url.protocol === 'https:' ? secureRequest : plainRequest;
    const asked = make(url, options, (incoming) => {
      readBody(incoming, body).then((text) => resolve(answerOf(incoming, text)), reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function readBody(incoming: IncomingMessage, wanted: boolean): Promise<string> {
  // What comes after the headers is nobody's: the connection ends with them.
  if (!wanted) {
    incoming.on('error', () => undefined).destroy();
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

function answerOf({ statusCode = 0, headers }: IncomingMessage, body: string): Answer {
  const header = (name: string): string | null => {
    const value = headers[name];
    return typeof value === 'string' ? value : null;
  };
  return { status: statusCode, header, body };
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
