/**
 * Requests of an agent to its server. A server that is away, or busy, or goes in the middle of its answer, is asked again
 * until the whole of the answer is there, for as long as the patience lasts: a training of hours is not lost because of a
 * restart. An answer that the attempt is over ends the agent. So every request is one that may be made twice.
 */
import { setTimeout as pauseFor } from 'node:timers/promises';
import { failedFetchReason } from '../../std/error-message.ts';
import { agentPath } from './contract.ts';

export interface Link {
  /**
   * What `take` makes of the answer; null: 404. `take` is called again where the answer was cut while it was read. Rejects
   * with `AttemptRevoked`, with what `take` threw by itself, or with an error that no other try would mend.
   */
  ask<T>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    take: (answer: Response) => Promise<T>,
    body?: () => LinkBody,
  ): Promise<T | null>;
  /** What the server answers to JSON with JSON, which it is trusted to. */
  json<Answer>(method: 'POST', path: string, body: unknown): Promise<Answer>;
  /** From now on with this token. */
  use(token: string): void;
  /** Nothing is asked any more: what is under way rejects. */
  close(): void;
}

export interface LinkBody {
  readonly type: 'application/json' | 'application/octet-stream';
  readonly content: BodyInit;
}

export interface LinkOptions {
  /** Of the server, without a path. */
  readonly url: string;
  readonly token: string;
  /** Rejects, or resolves at once, when the signal is aborted. The system's timer, unless given. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly say: (text: string) => void;
  readonly patienceMs?: number;
}

/** The server says that the attempt is not, or is no longer, to be carried out. */
export class AttemptRevoked extends Error {}

export const linkLimits = {
  /** For a server that is away. */
  patienceMs: 6 * 3_600_000,
  pauseFirstMs: 250,
  pauseMaxMs: 15_000,
  /** Of waiting. Whoever reads it knows that the agent does not hang. */
  sayAgainMs: 45_000,
  /** Of one request: who answers and breaks off so often will not get to the end. */
  cutsMax: 20,
  /** Of one request with JSON. Bytes may take as long as they flow: the connection ends after five minutes without any. */
  answerMs: 60_000,
} as const;

export function createLink(options: LinkOptions): Link {
  const {
    url,
    pause = (ms, signal) => pauseFor(ms, undefined, { signal }),
    say,
    patienceMs = linkLimits.patienceMs,
  } = options;
  let { token } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const ask: Link['ask'] = async (method, path, take, body) => {
    let [waitedMs, cuts] = [0, 0];
    let sayAtMs = 0;
    for (let attempt = 0; ; attempt += 1) {
      const answer = await tryOnce(`${url}${agentPath}/${path}`, { method, token, body: body?.(), signal });
      // What was cut off by us says nothing about the server.
      signal.throwIfAborted();
      let why: string;
      if (typeof answer === 'string') why = answer;
      else {
        if (answer.status === 404) return null;
        const read = await readWith(take, answer);
        if ('taken' in read) return read.taken;
        cuts += 1;
        if (cuts === linkLimits.cutsMax) throw new Error(`the server broke off its answer ${cuts} times: ${read.cut}`);
        why = `it broke off its answer: ${read.cut}`;
      }
      if (waitedMs >= patienceMs) throw new Error(`the server cannot be reached: ${why}`);
      if (waitedMs >= sayAtMs) {
        say(`The server does not answer (${why}): it is asked again.`);
        sayAtMs = waitedMs + linkLimits.sayAgainMs;
      }
      const pauseMs = Math.min(linkLimits.pauseFirstMs * 2 ** Math.min(attempt, 10), linkLimits.pauseMaxMs);
      await pause(pauseMs, signal);
      waitedMs += pauseMs;
    }
  };
  return {
    ask,
    async json<Answer>(method: 'POST', path: string, body: unknown) {
      const content = (): LinkBody => ({ type: 'application/json', content: JSON.stringify(body) });
      const answer = await ask(method, path, async (given) => (await given.json()) as Answer, content);
      if (answer === null) throw new Error(`the server knows no ${path}`);
      return answer;
    },
    use: (next) => void (token = next),
    close: () => closing.abort(new Error('nothing is asked of the server any more')),
  };
}

/** What was made of the answer; or why it did not come to its end. */
async function readWith<T>(
  take: (answer: Response) => Promise<T>,
  answer: Response,
): Promise<{ readonly taken: T } | { readonly cut: string }> {
  const { body, status, headers } = answer;
  let cut: string | null = null;
  let isLeft = false;
  const reader = body?.getReader();
  const watched =
    reader &&
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        const read = await reader.read().catch((error: unknown) => {
          cut = failedFetchReason(error);
          throw error;
        });
        if (isLeft) return;
        if (read.done) controller.close();
        else controller.enqueue(read.value);
      },
      cancel(reason) {
        isLeft = true;
        return reader.cancel(reason);
      },
    });
  try {
    return { taken: await take(new Response(watched ?? null, { status, headers })) };
  } catch (error) {
    if (cut !== null) return { cut };
    await reader?.cancel().catch(() => undefined);
    throw error;
  }
}

/** The answer; or, where another try may help, why there is none. */
async function tryOnce(
  address: string,
  request: {
    readonly method: string;
    readonly token: string;
    readonly body: LinkBody | undefined;
    readonly signal: AbortSignal;
  },
): Promise<Response | string> {
  const { method, token, body, signal } = request;
  const isJson = body?.type === 'application/json';
  // Of Node: it sends a stream, where it is told that the answer may come only when all is sent.
  const init: RequestInit & { readonly duplex: 'half' } = {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': body.type }) },
    redirect: 'error',
    duplex: 'half',
    signal: isJson ? AbortSignal.any([signal, AbortSignal.timeout(linkLimits.answerMs)]) : signal,
    ...(body === undefined ? {} : { body: body.content }),
  };
  let answer: Response;
  try {
    answer = await fetch(address, init);
  } catch (error) {
    return failedFetchReason(error);
  }
  if (answer.ok || answer.status === 404) return answer;
  const said = (await answer.text().catch(() => '')).slice(0, 500);
  if (answer.status === 401 || answer.status === 410) throw new AttemptRevoked(said);
  if (answer.status === 429 || answer.status >= 500) return `${answer.status} ${said}`;
  throw new Error(`the server refused ${method} ${new URL(address).pathname}: ${answer.status} ${said}`);
}
