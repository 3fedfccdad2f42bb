/**
 * A proxy on loopback before the API server of a real cluster, which makes it as moody as any may be: answers of its own,
 * no answer, an answer that is lost after the request had its effect, streams that are cut, and hours away.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { request as requestTls, type RequestOptions } from 'node:https';
import { parse } from 'yaml';

export interface ApiProxy {
  readonly url: string;
  /** Method and path of all requests, in their order. */
  readonly requests: readonly string[];
  /** What is done with the requests that it matches by line and body, until the function that it gives is called. */
  when(matches: Matches, mood: Mood): () => void;
  /** Breaks off what is being answered now: watches and logs. */
  cut(): void;
  /** Of what is being answered now to such requests nothing comes any more, and nobody says so. */
  silence(matches: (line: string) => boolean): void;
  close(): Promise<void>;
}

type Matches = (line: string, body: string) => boolean;

export type Mood =
  /** An answer without asking the cluster. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: object;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection ends without an answer, and the cluster is not asked. */
  | { readonly kind: 'refuse' }
  /** Neither is the cluster asked nor is there an answer, and nobody says so. */
  | { readonly kind: 'hold' }
  /** The cluster is asked, and its answer is lost: the connection ends without it. */
  | { readonly kind: 'lose' }
  /** The same, and nobody says so. */
  | { readonly kind: 'keep' };

export async function openApiProxy(kubeconfig: string): Promise<ApiProxy> {
  const target = targetOf(kubeconfig);
  const moods = new Set<{ readonly matches: Matches; readonly mood: Mood }>();
  const open = new Map<ServerResponse, string>();
  const requests: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const line = `${request.method ?? ''} ${request.url ?? ''}`;
    requests.push(line);
    open.set(response, line);
    response.on('close', () => open.delete(response));
    const body = await text(request);
    const mood = [...moods].find(({ matches }) => matches(line, body))?.mood ?? null;
    if (mood?.kind === 'refuse') response.destroy();
    else if (mood?.kind === 'answer') {
      response.writeHead(mood.status, { 'content-type': 'application/json', ...mood.headers });
      response.end(JSON.stringify(mood.body));
    } else if (mood?.kind !== 'hold') pass(request, body, response, target, mood?.kind ?? null);
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    when(matches, mood) {
      const given = { matches, mood };
      moods.add(given);
      return () => void moods.delete(given);
    },
    cut() {
      for (const response of open.keys()) response.destroy();
    },
    silence(matches) {
      for (const [response, line] of open)
        if (matches(line)) Object.assign(response, { write: () => true, end: () => response });
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** As the API server writes it. */
export function status(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function pass(
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
  target: RequestOptions,
  mood: 'lose' | 'keep' | null,
): void {
  const { host: _host, ...headers } = request.headers;
  const forwarded = requestTls({ ...target, method: request.method, path: request.url, headers }, (answer) => {
    answer.on('error', () => response.destroy());
    if (mood !== null) answer.resume().on('end', () => (mood === 'lose' ? response.destroy() : undefined));
    else answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers));
  });
  forwarded.on('error', () => response.destroy());
  response.on('close', () => forwarded.destroy());
  forwarded.end(body);
}

/** Address and credentials of the current context: a certificate, as the cluster of these tests gives, or a token. */
function targetOf(kubeconfig: string): RequestOptions {
  const config = parse(readFileSync(kubeconfig, 'utf8'));
  const named = (list: readonly { name: string }[], name: string): never =>
    list.find((each) => each.name === name) as never;
  const context: { context: { cluster: string; user: string } } = named(config.contexts, config['current-context']);
  const { cluster }: { cluster: Record<string, string> } = named(config.clusters, context.context.cluster);
  const { user }: { user: Record<string, string> } = named(config.users, context.context.user);
  const bytes = (record: Record<string, string>, name: string): Buffer | undefined => {
    const [data, path] = [record[`${name}-data`], record[name]];
    if (data !== undefined) return Buffer.from(data, 'base64');
    return path === undefined ? undefined : readFileSync(path);
  };
  const { hostname, port } = new URL(cluster['server'] ?? '');
  return {
    hostname,
    port: port === '' ? 443 : port,
    ca: bytes(cluster, 'certificate-authority'),
    cert: bytes(user, 'client-certificate'),
    key: bytes(user, 'client-key'),
    ...(user['token'] === undefined ? {} : { auth: undefined, headers: { authorization: `Bearer ${user['token']}` } }),
  };
}
