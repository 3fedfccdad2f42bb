/**
 * The one way to GitHub. Octokit builds requests and reads answers; everything that a call may cost or do is decided here:
 * the host, the rate, the time, the size, and a fresh token where the old one has died.
 */
import type { Clock } from '../../std/clock.ts';
import type { ForgeError } from '../forge.ts';
import { namedPauseMs, type RateLimiter } from './rate-limit.ts';

export const transportLimits = {
  timeoutMs: 10_000,
  /** 100 comments of 65 536 characters of four bytes. */
  answerBytesMax: 32 * 1024 * 1024,
  redirectsMax: 3,
} as const;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Where tokens come from. */
export interface TokenSource {
  current(): Promise<string>;
  /** Another one than `refused`, or null where there is no other. */
  renewed(refused: string): Promise<string | null>;
}

/** A call that was not made or not answered. Thrown through Octokit, caught in `api.ts`. */
export class CallRefused extends Error {
  readonly error: ForgeError;
  constructor(error: ForgeError) {
    super(error.message);
    this.name = 'CallRefused';
    this.error = error;
  }
}

export interface TransportOptions {
  readonly apiUrl: string;
  readonly clock: Clock;
  readonly limiter: RateLimiter;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  /** Null: requests carry their own authorization. */
  readonly tokens: TokenSource | null;
}

export function createTransport(options: TransportOptions): Fetch {
  return async (url, init) => {
    if (options.tokens === null) return exchange(options, url, init);
    const token = await options.tokens.current();
    const answer = await exchange(options, url, withToken(init, token));
    if (answer.status !== 401) return answer;
    const fresh = await options.tokens.renewed(token);
    return fresh === null ? answer : exchange(options, url, withToken(init, fresh));
  };
}

function withToken(init: RequestInit, token: string): RequestInit {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${token}`);
  return { ...init, headers };
}

/** One request and its whole answer, redirects within the same host followed (a renamed repository gives them). */
async function exchange(options: TransportOptions, url: string, init: RequestInit): Promise<Response> {
  let target = url;
  for (let redirects = 0; redirects <= transportLimits.redirectsMax; redirects += 1) {
    const answer = await once(options, target, init);
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status > 399 || answer.status === 304 || location === null) return answer;
    if (answer.status < 307 && (init.method ?? 'GET') !== 'GET') break;
    target = new URL(location, target).href;
  }
  throw new CallRefused({
    kind: 'final',
    message: `GitHub redirects ${pathOf(url)} to another place: has the repository been renamed?`,
  });
}

async function once(options: TransportOptions, url: string, init: RequestInit): Promise<Response> {
  if (new URL(url).origin !== new URL(options.apiUrl).origin) {
    throw new CallRefused({
      kind: 'final',
      message: `a call to ${new URL(url).host} was stopped: only the configured API host is called`,
    });
  }
  const method = init.method ?? 'GET';
  const retryAt = options.limiter.take(method === 'GET' ? 'read' : 'write');
  if (retryAt !== null)
    throw new CallRefused({
      kind: 'rate-limited',
      message: `${method} ${pathOf(url)} was held back to stay below GitHub's rate limits`,
      retryAt,
    });
  const answer = await send(options, url, init);
  const wait = rateLimitPause(answer, options.clock.now());
  if (wait === 'none') {
    if (answer.status < 500) options.limiter.answered();
    // The last call that was left: the next one would be refused.
    const spent =
      answer.headers.get('x-ratelimit-remaining') === '0' ? namedPauseMs(answer.headers, options.clock.now()) : null;
    if (spent !== null) options.limiter.refused(spent);
    return answer.response();
  }
  throw new CallRefused({
    kind: 'rate-limited',
    message: `GitHub refused ${method} ${pathOf(url)} for its rate limit (${answer.status})`,
    retryAt: options.limiter.refused(wait),
  });
}

interface WholeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  response(): Response;
}

/** 403 has two meanings: too fast (a time is named, nothing is left, or the message says so), and not allowed. */
function rateLimitPause(answer: WholeAnswer, now: number): number | null | 'none' {
  if (answer.status !== 429 && answer.status !== 403) return 'none';
  const named = namedPauseMs(answer.headers, now);
  if (answer.status === 429 || named !== null) return named;
  return /rate limit|abuse detection/i.test(new TextDecoder().decode(answer.body.subarray(0, 4096))) ? null : 'none';
}

async function send(options: TransportOptions, url: string, init: RequestInit): Promise<WholeAnswer> {
  const what = `${init.method ?? 'GET'} ${pathOf(url)}`;
  try {
    const response = await options.fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    const body = await readBody(response, what);
    const { status, headers } = response;
    // A body is not allowed with these.
    const content = status === 204 || status === 205 || status === 304 ? null : body;
    return { status, headers, body, response: () => new Response(content, { status, headers }) };
  } catch (error) {
    if (error instanceof CallRefused) throw error;
    const late = error instanceof Error && error.name === 'TimeoutError';
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    const message = late
      ? `GitHub did not answer ${what} within ${options.timeoutMs / 1000} s`
      : `GitHub could not be reached for ${what}: ${cause}`;
    throw new CallRefused({ kind: 'unreachable', message, retryAt: null });
  }
}

async function readBody(response: Response, what: string): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > transportLimits.answerBytesMax)
      throw new CallRefused({
        kind: 'final',
        message: `the answer to ${what} is larger than ${transportLimits.answerBytesMax} bytes`,
      });
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** For messages: without the query, where a secret could stand. */
function pathOf(url: string): string {
  return new URL(url).pathname;
}
