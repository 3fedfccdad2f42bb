/**
 * The API under `/api/v1`: what commands and scripts use. Reading is open to whoever reaches the server; whatever changes
 * something needs the token. One schema checks a request, shapes its answer and writes `/api/v1/openapi.json`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import swagger from '@fastify/swagger';
import { jsonSchemaTransform, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RunRow } from '../journal/journal.ts';
import type { ServerPorts } from './server.ts';

const runSchema = z.object({
  id: z.string(),
  number: z.number().int(),
  repository: z.string(),
  pipeline: z.string(),
  sha: z.string(),
  trigger: z.string(),
  state: z.enum(['running', 'cancelling', 'success', 'failed', 'cancelled']),
  reason: z.string().nullable(),
  openedAt: z.number().int().describe('Milliseconds since the epoch'),
  finishedAt: z.number().int().nullable(),
});

const errorSchema = z.object({ error: z.string() });

const runRequestSchema = z.strictObject({
  repository: z.string().optional().describe('May be left out where the server watches one repository'),
  pipeline: z.string(),
  revision: z.string().default('HEAD').describe('A branch, a tag or a SHA'),
  date: z.iso.date().optional().describe('The logical date, UTC'),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  key: z.string().max(200).optional().describe('The same key is the same run'),
});

export async function api(app: FastifyInstance, ports: ServerPorts): Promise<void> {
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Contender', version: ports.version } },
    transform: jsonSchemaTransform,
  });
  const typed = app.withTypeProvider<ZodTypeProvider>();

  typed.get(
    '/api/v1/runs',
    {
      schema: {
        querystring: z.strictObject({
          repository: z.string().optional(),
          pipeline: z.string().optional(),
          state: runSchema.shape.state.optional(),
          before: z.string().optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        response: { 200: z.object({ runs: z.array(runSchema) }) },
      },
    },
    async (request) => {
      const given = Object.entries(request.query).filter(([, value]) => value !== undefined);
      const rows = await ports.journal.runs({ limit: request.query.limit, ...Object.fromEntries(given) });
      return { runs: rows.map(runOf) };
    },
  );

  typed.get(
    '/api/v1/runs/:id',
    { schema: { params: z.object({ id: z.string() }), response: { 200: runSchema, 404: errorSchema } } },
    async (request, reply) => {
      const row = await ports.journal.run(request.params.id);
      return row === null ? reply.code(404).send({ error: 'no such run' }) : runOf(row);
    },
  );

  typed.post(
    '/api/v1/runs',
    {
      preHandler: (request, reply) => demandToken(ports, request, reply),
      schema: { body: runRequestSchema, response: { 201: z.object({ id: z.string() }), 401: errorSchema, 422: errorSchema } },
    },
    async (request, reply) => {
      const started = await startRun(ports, request.body);
      return 'id' in started ? reply.code(201).send(started) : reply.code(422).send(started);
    },
  );

  typed.post(
    '/api/v1/runs/:id/cancel',
    {
      preHandler: (request, reply) => demandToken(ports, request, reply),
      schema: {
        params: z.object({ id: z.string() }),
        body: z.strictObject({ reason: z.string().max(1000).default('asked for') }),
        response: { 202: z.object({ id: z.string() }), 401: errorSchema, 404: errorSchema, 409: errorSchema },
      },
    },
    async (request, reply) => {
      const row = await ports.journal.run(request.params.id);
      if (row === null) return reply.code(404).send({ error: 'no such run' });
      if (row.finishedAt !== null) return reply.code(409).send({ error: `the run ended already: ${row.state}` });
      ports.conductor.cancel(row.id, 'api', request.body.reason);
      return reply.code(202).send({ id: row.id });
    },
  );

  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

async function startRun(ports: ServerPorts, request: z.infer<typeof runRequestSchema>): Promise<{ id: string } | { error: string }> {
  const names = [...ports.projects.keys()];
  const name = request.repository ?? (names.length === 1 ? names[0] : undefined);
  const project = name === undefined ? undefined : ports.projects.get(name);
  if (name === undefined || project === undefined) return { error: `name one of the repositories: ${names.join(', ')}` };
  const fetched = await project.git.fetch();
  if (!fetched.ok) return { error: fetched.error.message };
  const sha = await project.git.resolve(request.revision);
  if (!sha.ok) return { error: sha.error.message };
  const started = await ports.conductor.runManually({
    repository: name,
    pipeline: request.pipeline,
    sha: sha.value,
    actor: 'api',
    logicalDate: request.date === undefined ? null : Date.parse(`${request.date}T00:00:00Z`),
    parameters: request.parameters,
    key: request.key ?? crypto.randomUUID(),
  });
  if (started.ok) return { id: started.value };
  return { error: typeof started.error === 'string' ? started.error : `${started.error.message} (${started.error.help})` };
}

function runOf(row: RunRow): z.infer<typeof runSchema> {
  const { opened } = row;
  return {
    id: row.id,
    number: row.number,
    repository: opened.repository,
    pipeline: opened.pipeline,
    sha: opened.sha,
    trigger: opened.trigger.kind,
    state: row.state,
    reason: row.reason,
    openedAt: opened.at,
    finishedAt: row.finishedAt,
  };
}

/** Compared as digests: of one length, in constant time. */
async function demandToken(ports: ServerPorts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (timingSafeEqual(digest(given), digest(ports.apiToken))) return undefined;
  return reply.code(401).send({ error: 'this needs the API token: Authorization: Bearer TOKEN' });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
