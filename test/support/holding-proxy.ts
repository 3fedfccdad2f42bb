/** An HTTP proxy on loopback that holds the requests that it is told to hold, and hands on all others at once. */
import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';

export interface HoldingProxy {
  readonly port: number;
  /** How many are held now. */
  held(): number;
  /** From now on none is held, and those that were go on. */
  release(): void;
  close(): void;
}

/** `holds` is asked with the method and path of each: `PUT /agent/v1/artifacts/…`. */
export async function startHoldingProxy(port: number, holds: (line: string) => boolean): Promise<HoldingProxy> {
  const waiting: (() => void)[] = [];
  let isReleased = false;
  const server = createServer((request, response) => {
    const go = (): void => handOn(request, response, port);
    if (isReleased || !holds(`${request.method} ${request.url}`)) go();
    else waiting.push(go);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    held: () => waiting.length,
    release() {
      isReleased = true;
      for (const go of waiting.splice(0)) go();
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function handOn(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url, headers } = request;
  const further = ask({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  further.on('error', () => response.destroy());
  response.on('close', () => void further.destroy());
  request.pipe(further);
}
