/**
 * What agents reach: a server of its own, so that the network of the steps needs no way to the pages and the API. Every
 * route demands the token of an attempt that is carried out now (src/executor/desk); the paths are in the contract
 * (src/executor/agent/contract.ts).
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { create as createTar } from 'tar';
import type { z } from 'zod';
import { agentLimits, agentPath } from '../executor/agent/contract.ts';
import {
  agentResultSchema,
  aliveSchema,
  beginSchema,
  logPartSchema,
  noteSchema,
} from '../executor/desk/agent-words.ts';
import { TooLarge } from '../executor/desk/attempt-files.ts';
import type { Desk, Refusal, Sitting } from '../executor/desk/desk.ts';
import { unreachable } from '../std/unreachable.ts';
import { bearerOf, RefusedError } from './access.ts';
import { pathOf } from './path-of.ts';
import type { ServerPorts } from './ports.ts';
import { messageOfError } from '../std/error-message.ts';

export interface AgentServerPorts extends Pick<ServerPorts, 'log'> {
  /** Of who conducts now; null where that is not, or not surely, this server. */
  readonly desk: () => Desk | null;
}

const limits = { bodyBytesMax: 4 * agentLimits.logBytesMax, requestTimeoutMs: 0, headTimeoutMs: 30_000 } as const;

export function createAgentServer(ports: AgentServerPorts): FastifyInstance {
  const app = Fastify({
    bodyLimit: limits.bodyBytesMax,
    // Artifacts may take hours. Who sends nothing is found by the connection's own timeout.
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: limits.headTimeoutMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500 && status !== 503)
      ports.log.error({ path: pathOf(request), error: error.message }, 'an agent was not served');
    // Behind a service the next connection may lead to the server that conducts; this one never does.
    if (status === 503) void reply.header('connection', 'close');
    void reply.code(status).send({ error: status === 500 ? 'internal error' : error.message });
  });
  // Bytes of artifacts go from the socket to the disk.
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  app.register(
    (scope, _options, done) => {
      addRoutes(scope, ports);
      done();
    },
    { prefix: agentPath },
  );
  return app;
}

const listenAgainMs = 5000;

/** Listens from the first time that it is told to, and tries again where it cannot: agents ask until somebody answers. */
export function openAgentServer(
  place: { readonly host: string; readonly port: number },
  ports: AgentServerPorts,
): { listen(): void; close(): Promise<void> } {
  let app: FastifyInstance | null = null;
  let timer: NodeJS.Timeout | null = null;
  let [isListening, isClosed] = [false, false];
  const tryToListen = async (): Promise<void> => {
    const opened = createAgentServer(ports);
    try {
      await opened.listen(place);
      app = opened;
      if (isClosed) await opened.close();
    } catch (error) {
      await opened.close();
      ports.log.error({ ...place, error: String(error) }, 'agents of steps cannot be served; it is tried again');
      if (!isClosed) timer = setTimeout(() => void tryToListen(), listenAgainMs);
    }
  };
  return {
    listen() {
      if (isListening) return;
      isListening = true;
      void tryToListen();
    },
    async close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      await app?.close();
    },
  };
}

function addRoutes(app: FastifyInstance, ports: AgentServerPorts): void {
  const sitting = (request: FastifyRequest): Sitting => {
    const found = ports.desk()?.sitting(bearerOf(request)) ?? 'wait';
    if (typeof found === 'string') throw refused(found);
    found.hear();
    return found;
  };

  // What was taken while the lease ran out may be unknown to the server that conducts now: its agent tells that one too.
  app.addHook('preSerialization', async (_request, reply, answer) => {
    if (reply.statusCode < 400 && ports.desk() === null) throw refused('wait');
    return answer;
  });
  app.post('/begin', (request) => {
    const begun = ports.desk()?.begin(bearerOf(request), read(beginSchema, request.body)) ?? 'wait';
    if (typeof begun === 'string') throw refused(begun);
    return begun;
  });
  app.get('/source', async (request, reply) => {
    // Asked again at once it would fail the same way: another try of the step may not.
    const folder = await sitting(request)
      .source()
      .catch((error: unknown) => {
        throw new RefusedError(422, messageOfError(error));
      });
    const tar = createTar({ cwd: folder, portable: true, noMtime: true }, ['.']);
    return reply.type('application/x-tar').send(Readable.from(tar));
  });
  app.get('/artifacts/:sha256', async (request, reply) => {
    const found = await sitting(request).artifact(hashOf(request));
    if (found === null) return reply.code(404).send({ error: 'there is no such artifact' });
    return reply
      .type('application/octet-stream')
      .header('content-length', found.bytes)
      .send(Readable.from(found.content, { objectMode: false }));
  });
  app.put('/artifacts/:sha256', (request) => keepArtifact(request, sitting(request)));
  app.get('/checkpoint', async (request, reply) => {
    const found = await sitting(request).checkpoint();
    if (found === null) return reply.code(404).send({ error: 'no try before has left anything' });
    return reply
      .type('application/x-tar')
      .header('content-length', found.bytes)
      .send(Readable.from(found.content, { objectMode: false }));
  });
  app.put('/checkpoint', (request) => keepCheckpoint(request, sitting(request)));
  app.post('/log', (request) => {
    const kept = sitting(request).keepLog(read(logPartSchema, request.body));
    // The agent has them on its own disk, and asks until there is room.
    if (kept === null) throw new RefusedError(503, 'its log cannot be written now');
    return kept;
  });
  app.post('/note', (request) => {
    sitting(request).note(read(noteSchema, request.body));
    return {};
  });
  app.post('/alive', (request) => sitting(request).alive(read(aliveSchema, request.body).stop));
  app.post('/ended', (request) => sitting(request).ended());
  app.post('/collect', (request) => sitting(request).collect());
  app.post('/result', (request) => {
    const result = read(agentResultSchema, request.body);
    try {
      sitting(request).result(result);
    } catch (error) {
      if (error instanceof RefusedError && error.statusCode === 410) ports.desk()?.tooLate(bearerOf(request), result);
      throw error;
    }
    return {};
  });
}

async function keepArtifact(request: FastifyRequest, sitting: Sitting): Promise<object> {
  const body = bytesOf(request);
  const { name } = request.query as { readonly name?: unknown };
  return sitting.keepArtifact(verified(body, hashOf(request)), typeof name === 'string' ? name : 'artifact');
}

async function keepCheckpoint(request: FastifyRequest, sitting: Sitting): Promise<object> {
  try {
    await sitting.keepCheckpoint(bytesOf(request));
    return {};
  } catch (error) {
    throw error instanceof TooLarge ? new RefusedError(413, error.message) : error;
  }
}

function bytesOf({ body }: FastifyRequest): Readable {
  if (body instanceof Readable) return body;
  throw new RefusedError(415, 'bytes come as application/octet-stream');
}

/** Throws at the end where the bytes are not those that the agent has read: nothing is kept then. */
async function* verified(chunks: AsyncIterable<Buffer>, sha256: string): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest('hex');
  if (found !== sha256) throw new RefusedError(422, `the bytes have the hash ${found}`);
}

function hashOf(request: FastifyRequest): string {
  const { sha256 } = request.params as { readonly sha256: string };
  return sha256;
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new RefusedError(
    400,
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  );
}

function refused(refusal: Refusal): RefusedError {
  switch (refusal) {
    case 'unauthorized':
      return new RefusedError(401, 'this needs the token of an attempt');
    case 'over':
      return new RefusedError(410, 'the attempt is over, or another agent has begun it');
    case 'wait':
      return new RefusedError(503, 'this server does not know yet what is carried out');
    default:
      return unreachable(refusal);
  }
}
