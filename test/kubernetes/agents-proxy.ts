/** One address before the servers for agents of an installation, at which what an agent says may be held, or come half. */
import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';

export interface AgentsProxy {
  readonly url: string;
  /** The server on this port of loopback is asked from now on. */
  leadTo(port: number): void;
  /** Requests that it matches by line and attempt do not reach the server. */
  hold(matches: Matches): void;
  /** Of their body only the first part does. */
  halve(matches: Matches): void;
  /** Nothing is held any more. Connections end, as they do with a server that ends. */
  cut(): void;
  close(): Promise<void>;
}

type Matches = (line: string, attemptId: string) => boolean;

/** `host`: under which pods reach this machine. */
export async function openAgentsProxy(host: string): Promise<AgentsProxy> {
  let port = 0;
  const nothing: Matches = () => false;
  let [held, halved] = [nothing, nothing];
  const server = createServer((request, response) => {
    const [line, id] = [`${request.method} ${request.url}`, attemptOf(request)];
    if (!held(line, id)) handOn(request, response, port, halved(line, id));
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    url: `http://${host}:${address.port}`,
    leadTo: (next) => void (port = next),
    hold: (matches) => void (held = matches),
    halve: (matches) => void (halved = matches),
    cut() {
      [held, halved] = [nothing, nothing];
      server.closeAllConnections();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** As its token says. */
function attemptOf({ headers }: IncomingMessage): string {
  const [payload = ''] = (headers.authorization ?? '').replace('Bearer ', '').split('.');
  return Buffer.from(payload, 'base64url').toString();
}

function handOn(request: IncomingMessage, response: ServerResponse, port: number, isHalved: boolean): void {
  const { method, url, headers } = request;
  const further = ask({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
    answer.on('error', () => response.destroy());
    answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers));
  });
  further.on('error', () => response.destroy());
  response.on('close', () => void further.destroy());
  if (isHalved) request.once('data', (chunk) => further.write(chunk)).once('data', () => request.pause());
  else request.pipe(further);
}
