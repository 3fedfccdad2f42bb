/** The API of data events: say that data have changed, and look at what was said. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { dataEventStates, type DataEventRow } from '../journal/journal.ts';
import { datasetNamePattern } from '../pipeline/names.ts';
import { errorSchema, tokenNeeded } from './api-schemas.ts';
import type { ServerPorts } from './ports.ts';

const datasetSchema = z.string().regex(datasetNamePattern).describe('The name that pipelines listen to in `on.data`');

const eventRequestSchema = z.strictObject({
  dataset: datasetSchema,
  digest: z.string().min(1).max(200).optional().describe('Of the data: the same as the news before is no news'),
  evenIfSame: z.boolean().default(false).describe('News all the same'),
  at: z.iso.datetime().optional().describe('When the data came to be there; now where it is left out'),
  key: z.string().min(1).max(200).optional().describe('The same key is the same event'),
  by: z.string().min(1).max(200).default('api').describe('Whose name is kept with it'),
});

const eventSchema = z.object({
  id: z.string(),
  dataset: z.string(),
  digest: z.string().nullable(),
  runId: z.string().nullable().describe('Of the run whose step says so'),
  step: z.string().nullable(),
  by: z.string().nullable().describe('Who said so from outside'),
  at: z.number().int().describe('Milliseconds since the epoch'),
  state: z.enum(dataEventStates).describe('news; same: no news; refused: it does not count; open: not decided'),
  reason: z.string().nullable().describe('Why it was refused'),
});

const eventsQuerySchema = z.strictObject({
  dataset: datasetSchema.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export function addEvents(app: FastifyInstance, { conductor, journal, clock }: ServerPorts): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.get(
    '/api/v1/events',
    {
      schema: {
        summary: 'What was said of datasets, the newest first',
        querystring: eventsQuerySchema,
        response: { 200: z.object({ events: z.array(eventSchema) }), 400: errorSchema },
      },
    },
    async ({ query }) => ({
      events: (await journal.dataEvents(query.dataset ?? null, query.limit)).map(answerOf),
    }),
  );
  typed.post(
    '/api/v1/events',
    {
      schema: {
        summary: 'Say that data have changed',
        ...tokenNeeded,
        body: eventRequestSchema,
        response: { 201: eventSchema, 400: errorSchema, 401: errorSchema },
      },
    },
    async ({ body }, reply) => {
      const { dataset, digest = null, evenIfSame, by } = body;
      const at = body.at === undefined ? clock.now() : Date.parse(body.at);
      const id = body.key ?? crypto.randomUUID();
      const told = await conductor.tellData({ id, dataset, digest, evenIfSame, by, at });
      return reply.code(201).send(answerOf(told));
    },
  );
}

function answerOf({
  id,
  dataset,
  digest,
  runId,
  step,
  toldBy,
  at,
  state,
  reason,
}: DataEventRow): z.infer<typeof eventSchema> {
  return { id, dataset, digest, runId, step, by: toldBy, at, state, reason };
}
