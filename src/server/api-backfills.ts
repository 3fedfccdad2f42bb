/** The API of backfills: make one, or say what it would do; look at them; cancel one. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BackfillProgress } from '../journal/journal.ts';
import * as schemas from './api-backfill-schemas.ts';
import { commitOf } from './api-commit.ts';
import { cancelRequestSchema, errorSchema, idSchema, refusedSchema, tokenNeeded, type Refused } from './api-schemas.ts';
import type { ServerPorts } from './ports.ts';
import { endedBackfill, refusedOf, unknownBackfill } from './refusals.ts';

export function addBackfills(app: FastifyInstance, ports: ServerPorts): void {
  addReading(app, ports);
  addMaking(app, ports);
  addCancelling(app, ports);
}

function addReading(app: FastifyInstance, ports: ServerPorts): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.get(
    '/api/v1/backfills',
    {
      schema: {
        summary: 'Backfills, the newest first',
        querystring: schemas.backfillsQuerySchema,
        response: { 200: z.object({ backfills: z.array(schemas.backfillSchema) }), 400: errorSchema },
      },
    },
    async ({ query }) => ({ backfills: (await ports.journal.backfills(query.limit)).map(answerOf) }),
  );
  typed.get(
    '/api/v1/backfills/:id',
    {
      schema: {
        summary: 'One backfill, with its intervals',
        params: idSchema,
        response: { 200: schemas.wholeBackfillSchema, 404: refusedSchema },
      },
    },
    async (request, reply) => {
      const backfill = await ports.journal.backfill(request.params.id);
      if (backfill === null) return reply.code(404).send(unknownBackfill(request.params.id));
      const intervals = await ports.journal.backfillIntervals(backfill.id);
      return { ...answerOf(backfill), intervals: [...intervals] };
    },
  );
}

function addMaking(app: FastifyInstance, ports: ServerPorts): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/backfills',
    {
      schema: {
        summary: 'Run a pipeline for past intervals of its schedule',
        ...tokenNeeded,
        body: schemas.backfillRequestSchema,
        response: {
          200: schemas.planSchema.describe('What it would do (`dryRun`)'),
          201: idSchema,
          400: errorSchema,
          401: errorSchema,
          422: refusedSchema,
        },
      },
    },
    async (request, reply) => {
      const made = await makeOrPlan(ports, request.body);
      if ('error' in made) return reply.code(422).send(made);
      return 'id' in made ? reply.code(201).send(made) : reply.code(200).send(made);
    },
  );
}

async function makeOrPlan(
  ports: ServerPorts,
  body: schemas.BackfillRequestBody,
): Promise<{ id: string } | schemas.PlanAnswer | Refused> {
  const commit = await commitOf(ports, body);
  if ('error' in commit) return commit;
  const { pipeline, by: actor, newestFirst, maxActive, reprocess, parameters } = body;
  const days = { fromDay: Date.parse(`${body.from}T00:00:00Z`), toDay: Date.parse(`${body.to}T00:00:00Z`) };
  const choice = { newestFirst, maxActive, reprocess, parameters };
  const request = { id: body.id ?? null, ...commit, pipeline, actor, ...days, ...choice };
  if (body.dryRun) {
    const planned = await ports.conductor.planBackfill(request);
    return planned.ok ? { sha: commit.sha, intervals: [...planned.value] } : refusedOf(planned.error);
  }
  const made = await ports.conductor.startBackfill(request);
  return made.ok ? { id: made.value.id } : refusedOf(made.error);
}

function addCancelling(app: FastifyInstance, ports: ServerPorts): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/backfills/:id/cancel',
    {
      schema: {
        summary: 'Cancel a backfill: nothing more of it begins, and its runs are cancelled',
        ...tokenNeeded,
        params: idSchema,
        body: cancelRequestSchema,
        response: { 202: idSchema, 400: errorSchema, 401: errorSchema, 404: refusedSchema, 409: refusedSchema },
      },
    },
    async (request, reply) => {
      const backfill = await ports.journal.backfill(request.params.id);
      if (backfill === null) return reply.code(404).send(unknownBackfill(request.params.id));
      const asked = await ports.conductor.cancelBackfill(backfill.id, request.body?.by ?? 'api');
      if (asked === 'accepted') return reply.code(202).send({ id: backfill.id });
      return reply.code(409).send(endedBackfill(`the backfill is ${backfill.state} already`));
    },
  );
}

function answerOf({ options, next: _next, ...backfill }: BackfillProgress): schemas.BackfillAnswer {
  const { actor, newestFirst, maxActive, reprocess, parameters = {} } = options;
  return {
    ...backfill,
    by: actor,
    from: dayOf(options.from),
    to: dayOf(options.to),
    newestFirst,
    maxActive,
    reprocess,
    parameters,
  };
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
