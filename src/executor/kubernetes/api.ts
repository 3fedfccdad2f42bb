/**
 * Requests to the API of a cluster: JSON and streams, with the credentials, certificates and connections of the kubeconfig.
 * What goes wrong is an `ApiError` that says whether anything was answered at all: "cannot see" is not "no".
 */
import type { KubeConfig } from '@kubernetes/client-node';
import { setTimeout as pause } from 'node:timers/promises';
import { failedFetchReason } from '../../std/error-message.ts';
import { isJsonObject, type Json } from '../../std/json.ts';

export interface Api {
  /** The answer of JSON. It is believed: it is the cluster's own. */
  request<Answer>(method: ApiMethod, path: string, options?: RequestOptions): Promise<Answer>;
  /** Chunks as they come, until the server or the signal ends it. */
  stream(path: string, query: Query, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

export type ApiMethod = 'GET' | 'POST' | 'DELETE';
export type Query = { readonly [name: string]: string | number | boolean };

export interface RequestOptions {
  readonly query?: Query;
  readonly body?: object;
  /** Hears the time that the answer says it was given at, in milliseconds since the epoch, to the second. */
  readonly dated?: (at: number) => void;
}

/** `status` null: no answer came, and nobody knows whether the request had its effect. */
export class ApiError extends Error {
  readonly status: number | null;
  /** As the server calls it: `AlreadyExists`, `NotFound`, `Forbidden`, `Invalid`, `Expired`. */
  readonly reason: string;
  readonly retryAfterMs: number | null;

  constructor(message: string, status: number | null, reason: string, retryAfterMs: number | null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }

  /** Nothing is wrong with the request itself: it may be made again, now or when the cluster is well. */
  get isPassing(): boolean {
    const { status, reason } = this;
    // Two have changed one thing at the same moment, such as what is counted of a quota.
    if (status === 409) return reason !== 'AlreadyExists';
    return status === null || status === 401 || status === 408 || status === 429 || status >= 500;
  }
}

const limits = {
  answerMs: 30_000,
  /** What one server asks of a cluster at the same time, beside streams. */
  atOnceMax: 32,
  /** However long it asks to be left alone. */
  restMs: 30_000,
} as const;

type Client = typeof import('@kubernetes/client-node');

/** The client, and the kubeconfig as it was when it was read. */
interface Loaded {
  readonly client: Client;
  readonly config: KubeConfig;
}

export interface ApiOptions {
  /** Whoever waits until the cluster is to be asked again waits no longer: that rejects as what was not answered. */
  readonly closing?: AbortSignal;
  /** Resolves after so long, or when the signal is aborted. The system's timer, unless given. */
  readonly rest?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Loads the client when it is first asked: it takes a third of a second, and most commands never ask. */
export function createApi(
  load: (client: Client) => KubeConfig,
  {
    closing = new AbortController().signal,
    rest = (ms, signal) => pause(ms, undefined, { signal }).catch(() => undefined),
  }: ApiOptions = {},
): Api {
  let loaded: Promise<Loaded> | null = null;
  const open = async (): Promise<Loaded> => {
    const client = await import('@kubernetes/client-node');
    return { client, config: load(client) };
  };
  /** For all who ask from now on; those who were refused together load it once. */
  const loadAgain = async (refused: Loaded): Promise<void> => {
    if ((await loaded) === refused) loaded = open().catch(() => refused);
  };
  const gate = createGate(limits.atOnceMax, closing, rest);

  const send = async (
    method: ApiMethod,
    path: string,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const asked = await (loaded ??= open());
    const answer = await sendAs(asked, method, path, options, signal);
    if (answer.status !== 401) return answer;
    // Its token may have been replaced, in a file or by the program that gives it, which the client looks into now and then.
    await answer.body.text().catch(() => '');
    await loadAgain(asked);
    return sendAs(await loaded, method, path, options, signal);
  };
  const sendAs = async (
    { client, config }: Loaded,
    method: ApiMethod,
    path: string,
    { query = {}, body }: RequestOptions,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error('the kubeconfig names no current cluster');
    const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    const context = new client.RequestContext(
      `${server.replace(/\/$/, '')}${path}?${parameters}`,
      client.HttpMethod[method],
    );
    context.setHeaderParam('Accept', 'application/json');
    context.setSignal(signal);
    if (body !== undefined) {
      context.setHeaderParam('Content-Type', 'application/json');
      context.setBody(JSON.stringify(body));
    }
    try {
      await config.applySecurityAuthentication(context);
      const response = await new client.IsomorphicFetchHttpLibrary().send(context).toPromise();
      return { status: response.httpStatusCode, headers: response.headers, body: response.body };
    } catch (error) {
      throw new ApiError(`the cluster does not answer: ${failedFetchReason(error)}`, null, 'Unanswered', null);
    }
  };

  const refused = (answer: Answer, content: Json): ApiError => {
    const error = errorOf(answer, content);
    // It is asked too much, and not by this request alone.
    if (error.status === 429 && error.retryAfterMs !== null) gate.rest(Math.min(error.retryAfterMs, limits.restMs));
    return error;
  };

  return {
    request: (method, path, options = {}) =>
      gate.pass(async () => {
        const answer = await send(method, path, options, AbortSignal.timeout(limits.answerMs));
        const text = await answer.body.text().catch((error: unknown) => {
          throw new ApiError(
            `the answer of the cluster broke off: ${failedFetchReason(error)}`,
            null,
            'Unanswered',
            null,
          );
        });
        const content = parse(text);
        if (answer.status < 200 || answer.status > 299) throw refused(answer, content);
        const date = Date.parse(answer.headers['date'] ?? '');
        if (!Number.isNaN(date)) options.dated?.(date);
        return content as never;
      }),
    // Streams do not rest with the others: whoever waits for the end of a log gives up after as long. They wait by themselves.
    async stream(path, query, signal) {
      const answer = await send('GET', path, { query }, signal);
      const content = answer.body.stream();
      if (answer.status === 200 && content !== null) return content;
      throw refused(answer, parse(await answer.body.text().catch(() => '')));
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: { text(): Promise<string>; stream(): ReadableStream<Uint8Array> | null };
}

/** What the server says in a `Status`; proxies before it say something else. */
function errorOf({ status, headers }: Answer, content: Json): ApiError {
  const said = isJsonObject(content) ? content : {};
  const message = typeof said['message'] === 'string' ? said['message'] : `the cluster answers ${status}`;
  const reason = typeof said['reason'] === 'string' ? said['reason'] : '';
  const seconds = Number(headers['retry-after']);
  return new ApiError(message, status, reason, seconds > 0 ? seconds * 1000 : null);
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

interface Gate {
  pass<T>(work: () => Promise<T>): Promise<T>;
  /** Nobody passes for so long. */
  rest(ms: number): void;
}

function createGate(atOnceMax: number, closing: AbortSignal, restFor: NonNullable<ApiOptions['rest']>): Gate {
  const waiting: (() => void)[] = [];
  let busy = 0;
  let resting: Promise<unknown> | null = null;
  const rested = async (): Promise<void> => {
    if (resting === null) return;
    await resting;
    if (closing.aborted) throw new ApiError('the cluster is not asked any more', null, 'Unanswered', null);
    return rested();
  };
  return {
    async pass(work) {
      if (busy >= atOnceMax) await new Promise<void>((resolve) => waiting.push(resolve));
      else busy += 1;
      try {
        await rested();
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) busy -= 1;
        else next();
      }
    },
    rest(ms) {
      const own = Promise.all([resting, restFor(ms, closing)]).finally(() => {
        if (resting === own) resting = null;
      });
      resting = own;
    },
  };
}

/** How long to wait after so many failures, one after the other: half a second to half a minute. */
export async function backOff(failures: number, error: unknown, signal: AbortSignal): Promise<void> {
  const asked = error instanceof ApiError ? error.retryAfterMs : null;
  const ms = asked ?? Math.min(30_000, 500 * 2 ** Math.min(failures - 1, 6));
  await pause(ms, undefined, { signal, ref: true }).catch(() => undefined);
}
