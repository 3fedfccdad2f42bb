/**
 * Requests of an agent to its server. A server that is away, or busy, is asked again until it answers, for as long as the
 * patience lasts: a training of hours is not lost because of a restart. An answer that the attempt is over ends the agent.
 */
import { failedFetchReason } from '../../std/failed-fetch.ts';
import { agentPath } from './contract.ts';

export interface Link {
  /** The answer; null: 404. Rejects with `AttemptRevoked`, or with an error that no other try would mend. */
  ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: () => LinkBody): Promise<Response | null>;
  /** What the server answers to JSON with JSON, which it is trusted to. */
  json<Answer>(method: 'POST', path: string, body: unknown): Promise<Answer>;
  /** From now on with this token. */
  use(token: string): void;
}

export interface LinkBody {
  readonly type: 'application/json' | 'application/octet-stream';
  readonly content: BodyInit;
}

export interface LinkOptions {
  /** Of the server, without a path. */
  readonly url: string;
  readonly token: string;
  readonly pause: (ms: number) => Promise<unknown>;
  readonly say: (text: string) => void;
  readonly patienceMs?: number;
}

/** The server says that the attempt is not, or is no longer, to be carried out. */
export class AttemptRevoked extends Error {}

const linkLimits = {
  patienceMs: 6 * 3_600_000,
  pauseFirstMs: 250,
  pauseMaxMs: 15_000,
  /** Of one request with JSON. Bytes may take as long as they flow: the connection ends after five minutes without any. */
  answerMs: 60_000,
} as const;

export function createLink(options: LinkOptions): Link {
  const { url, pause, say, patienceMs = linkLimits.patienceMs } = options;
  let { token } = options;
  const ask: Link['ask'] = async (method, path, body) => {
    let waitedMs = 0;
    for (let attempt = 0; ; attempt += 1) {
      const answer = await tryOnce(`${url}${agentPath}/${path}`, method, token, body?.());
      if (answer instanceof Response) return answer.status === 404 ? null : answer;
      if (waitedMs >= patienceMs) throw new Error(`the server cannot be reached: ${answer}`);
      if (attempt === 0) say(`The server does not answer (${answer}): it is asked again.`);
      const pauseMs = Math.min(linkLimits.pauseFirstMs * 2 ** Math.min(attempt, 10), linkLimits.pauseMaxMs);
      await pause(pauseMs);
      waitedMs += pauseMs;
    }
  };
  return {
    ask,
    async json<Answer>(method: 'POST', path: string, body: unknown) {
      const answer = await ask(method, path, () => ({ type: 'application/json', content: JSON.stringify(body) }));
      if (answer === null) throw new Error(`the server knows no ${path}`);
      return (await answer.json()) as Answer;
    },
    use: (next) => void (token = next),
  };
}

/** The answer; or, where another try may help, why there is none. */
async function tryOnce(
  address: string,
  method: string,
  token: string,
  body: LinkBody | undefined,
): Promise<Response | string> {
  const isJson = body?.type === 'application/json';
  // Of Node: it sends a stream, where it is told that the answer may come only when all is sent.
  const init: RequestInit & { readonly duplex: 'half' } = {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': body.type }) },
    redirect: 'error',
    duplex: 'half',
    ...(isJson ? { signal: AbortSignal.timeout(linkLimits.answerMs) } : {}),
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
