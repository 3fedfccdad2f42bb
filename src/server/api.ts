/**
 * The API under `/api/v1`: what commands and scripts use. Reading is open to whoever reaches the server; whatever changes
 * something needs the token, which is looked at before a byte of the body is read.
 */
import type { FastifyInstance } from 'fastify';
import swagger from '@fastify/swagger';
import { jsonSchemaTransform, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RunRow } from '../journal/journal.ts';
import { addBackfills } from './api-backfills.ts';
import { commitOf, refusedOf } from './api-commit.ts';
import * as schemas from './api-schemas.ts';
import { demandToken, tokenNeeded } from './api-token.ts';
import type { ServerPorts } from './ports.ts';

export async function api(app: FastifyInstance, ports: ServerPorts): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Contender', version: ports.version },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
  });
  addReading(app, ports);
  addStarting(app, ports);
  addCancelling(app, ports);
  addBackfills(app, ports);
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

function addReading(app: FastifyInstance, ports: ServerPorts): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.get(
    '/healthz',
    {
      schema: {
        summary: 'Whether the server answers',
        response: { 200: z.object({ status: z.literal('ok'), version: z.string() }) },
      },
    },
    () => ({ status: 'ok' as const, version: ports.version }),
  );
  typed.get(
    '/api/v1/runs',
    {
      schema: {
        summary: 'Runs, the newest first',
        querystring: schemas.runsQuerySchema,
        response: { 200: z.object({ runs: z.array(schemas.runSchema) }), 400: schemas.errorSchema },
      },
    },
    (request) => listRuns(ports, request.query),
  );
  typed.get(
    '/api/v1/runs/:id',
    {
      schema: {
        summary: 'One run',
        params: schemas.idSchema,
        response: { 200: schemas.runSchema, 404: schemas.errorSchema },
      },
    },
    async (request, reply) => {
      const row = await ports.journal.run(request.params.id);
      return row === null ? reply.code(404).send({ error: 'no such run' }) : runOf(row);
    },
  );
}

function addStarting(app: FastifyInstance, ports: ServerPorts): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/runs',
    {
      onRequest: (request, reply) => demandToken(ports, request, reply),
      schema: {
        summary: 'Start a run',
        ...tokenNeeded,
        body: schemas.runRequestSchema,
        response: {
          201: schemas.idSchema,
          400: schemas.errorSchema,
          401: schemas.errorSchema,
          422: schemas.refusedSchema,
        },
      },
    },
    async (request, reply) => {
      const started = await startRun(ports, request.body);
      return 'id' in started ? reply.code(201).send(started) : reply.code(422).send(started);
    },
  );
}

function addCancelling(app: FastifyInstance, ports: ServerPorts): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/runs/:id/cancel',
    {
      onRequest: (request, reply) => demandToken(ports, request, reply),
      schema: {
        summary: 'Cancel a run',
        ...tokenNeeded,
        params: schemas.idSchema,
        body: schemas.cancelRequestSchema,
        response: {
          202: schemas.idSchema,
          400: schemas.errorSchema,
          401: schemas.errorSchema,
          404: schemas.errorSchema,
          409: schemas.errorSchema,
        },
      },
    },
    async (request, reply) => {
      const row = await ports.journal.run(request.params.id);
      if (row === null) return reply.code(404).send({ error: 'no such run' });
      if (row.finishedAt !== null) return reply.code(409).send({ error: `the run ended already: ${row.state}` });
      const { by, reason } = request.body ?? { by: 'api', reason: 'asked for' };
      const asked = await ports.conductor.ask(row.id, { type: 'cancel', by, reason });
      if (asked === 'ended') return reply.code(409).send({ error: 'the run has just ended' });
      return reply.code(202).send({ id: row.id });
    },
  );
}

async function listRuns(
  ports: ServerPorts,
  query: z.infer<typeof schemas.runsQuerySchema>,
): Promise<{ runs: schemas.RunAnswer[] }> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const rows = await ports.journal.runs({ limit: query.limit, ...Object.fromEntries(given) });
  return { runs: rows.map(runOf) };
}

async function startRun(ports: ServerPorts, request: schemas.RunRequest): Promise<{ id: string } | schemas.Refused> {
  const commit = await commitOf(ports, request);
  if ('error' in commit) return commit;
  const started = await ports.conductor.runManually({
    ...commit,
    pipeline: request.pipeline,
    actor: 'api',
    logicalDate: request.date === undefined ? null : Date.parse(`${request.date}T00:00:00Z`),
    parameters: request.parameters,
    key: request.key ?? crypto.randomUUID(),
  });
  if (started.ok) return { id: started.value };
  return refusedOf(started.error);
}

function runOf(row: RunRow): schemas.RunAnswer {
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
