/**
 * The API under `/api/v1`: what commands and scripts use. Reading is open to whoever reaches the server; whatever changes
 * something needs the token (access.ts).
 */
import type { FastifyInstance } from 'fastify';
import swagger from '@fastify/swagger';
import { jsonSchemaTransform, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readRun } from '../conductor/read.ts';
import { turnText } from '../conductor/waits/turn-text.ts';
import type { RunRequest } from '../engine/request.ts';
import type { RunRow } from '../journal/journal.ts';
import { addBackfills } from './api-backfills.ts';
import { addEvents } from './api-events.ts';
import * as schemas from './api-schemas.ts';
import { addStepReading, stepsOf } from './api-steps.ts';
import type { ServerPorts } from './ports.ts';
import { notAsked, unknownRun, unknownStep } from './refusals.ts';
import { answerOf, startRun } from './start-run.ts';

export async function api(app: FastifyInstance, ports: ServerPorts): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Contender', version: ports.version },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
  });
  addStanding(app, ports);
  addReading(app, ports);
  addStepReading(app, ports);
  addPools(app, ports);
  addStarting(app, ports);
  addRerunning(app, ports);
  addPromoting(app, ports);
  addAsking(app, ports);
  addBackfills(app, ports);
  addEvents(app, ports);
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

/** Of several servers on one database one conducts; all of them answer. */
function addStanding(app: FastifyInstance, ports: ServerPorts): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const answer = schemas.standingSchema.extend({
    status: z.literal('ok'),
    version: z.string(),
    /** Why no step is started; null: they are. */
    lack: z.string().nullable(),
  });
  const standing = (): z.infer<typeof answer> => {
    return { status: 'ok', version: ports.version, lack: ports.conductor.lackOfRoom(), ...ports.conductor.standing() };
  };
  typed.get(
    '/healthz',
    { schema: { summary: 'Whether the server answers, and who conducts', response: { 200: answer } } },
    standing,
  );
  typed.get(
    '/ready',
    {
      schema: {
        summary: 'Whether the server reaches its journal and somebody conducts',
        response: { 200: answer, 503: schemas.errorSchema },
      },
    },
    async (_request, reply) => {
      const lease = await ports.journal.lease().catch(() => null);
      const { conducts } = ports.conductor.standing();
      if (lease === null) return reply.code(503).send({ error: 'the journal does not answer, or nobody conducts yet' });
      if (!conducts && lease.expiresInMs <= 0) return reply.code(503).send({ error: 'nobody conducts at this moment' });
      return standing();
    },
  );
}

function addReading(app: FastifyInstance, ports: ServerPorts): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
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
        summary: 'One run, with its steps',
        params: schemas.idSchema,
        response: { 200: schemas.wholeRunSchema, 404: schemas.refusedSchema },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const [row, run] = await Promise.all([ports.journal.run(id), readRun(ports.journal, id)]);
      if (row === null || run === null) return reply.code(404).send(unknownRun(id));
      const waits = run.begunAt === null ? await turnText(ports.journal, run.opened) : null;
      return { ...runOf(row), waits, steps: stepsOf(run, ports) };
    },
  );
}

function addPools(app: FastifyInstance, { conductor }: ServerPorts): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/pools',
    {
      schema: {
        summary: 'Slots of the executor and of the pools: how many are taken, and how many runs wait for them',
        response: { 200: z.object({ pools: z.array(schemas.poolSchema) }) },
      },
    },
    () => ({ pools: [...conductor.slotsInUse()] }),
  );
}

function addStarting(app: FastifyInstance, ports: ServerPorts): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/runs',
    {
      schema: {
        summary: 'Start a run',
        ...schemas.tokenNeeded,
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

/** Of what is ordered of a run: asked for wrongly, by nobody known, of no run, or refused for a reason. */
const refusedAnswers = {
  400: schemas.errorSchema,
  401: schemas.errorSchema,
  404: schemas.refusedSchema,
  422: schemas.refusedSchema,
} as const;

function addRerunning(app: FastifyInstance, ports: ServerPorts): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/runs/:id/rerun',
    {
      schema: {
        summary: 'Run again what a run was for, whole or in part; the rest is reused',
        ...schemas.tokenNeeded,
        params: schemas.idSchema,
        body: schemas.rerunRequestSchema,
        response: { 201: schemas.idSchema, ...refusedAnswers },
      },
    },
    async (request, reply) => {
      const row = await ports.journal.run(request.params.id);
      if (row === null) return reply.code(404).send(unknownRun(request.params.id));
      const started = await rerun(ports, row.id, request.body);
      return 'id' in started ? reply.code(201).send(started) : reply.code(422).send(started);
    },
  );
}

function addPromoting(app: FastifyInstance, ports: ServerPorts): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/api/v1/runs/:id/promote',
    {
      schema: {
        summary: 'Make a model champion that the run reported and that waits for approval',
        ...schemas.tokenNeeded,
        params: schemas.idSchema,
        body: schemas.promoteRequestSchema,
        response: { 202: schemas.idSchema, ...refusedAnswers },
      },
    },
    async (request, reply) => {
      const row = await ports.journal.run(request.params.id);
      if (row === null) return reply.code(404).send(unknownRun(request.params.id));
      const { model = null, by = 'api' } = request.body ?? {};
      const promoted = answerOf(await ports.conductor.promote({ runId: row.id, model, actor: by }));
      return 'id' in promoted ? reply.code(202).send(promoted) : reply.code(422).send(promoted);
    },
  );
}

const askedAnswers = {
  202: schemas.idSchema,
  400: schemas.errorSchema,
  401: schemas.errorSchema,
  404: schemas.refusedSchema,
  409: schemas.refusedSchema,
} as const;

/** What is asked of runs: kept when it is answered with 202, and carried out later. */
function addAsking(app: FastifyInstance, ports: ServerPorts): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const common = { ...schemas.tokenNeeded, response: askedAnswers };
  typed.post(
    '/api/v1/runs/:id/cancel',
    {
      schema: { summary: 'Cancel a run', ...common, params: schemas.idSchema, body: schemas.cancelRequestSchema },
    },
    async (request, reply) => {
      const { by, reason } = request.body ?? { by: 'api', reason: 'asked for' };
      const asked = await ask(ports, request.params.id, { type: 'cancel', by, reason });
      return reply.code(asked.status).send(asked.answer);
    },
  );
  const params = schemas.stepSchema;
  typed.post(
    '/api/v1/runs/:id/steps/:step/approve',
    { schema: { summary: 'Approve a step', ...common, params, body: schemas.approveRequestSchema } },
    async (request, reply) => {
      const { by, reason } = request.body ?? { by: 'api', reason: null };
      const { id, step } = request.params;
      const asked = await ask(ports, id, { type: 'decide', step, decision: 'approve', by, reason });
      return reply.code(asked.status).send(asked.answer);
    },
  );
  typed.post(
    '/api/v1/runs/:id/steps/:step/reject',
    { schema: { summary: 'Reject a step', ...common, params, body: schemas.rejectRequestSchema } },
    async (request, reply) => {
      const { by, reason } = request.body;
      const { id, step } = request.params;
      const asked = await ask(ports, id, { type: 'decide', step, decision: 'reject', by, reason });
      return reply.code(asked.status).send(asked.answer);
    },
  );
}

type AskedAnswer =
  | { readonly status: 202; readonly answer: { readonly id: string } }
  | { readonly status: 404 | 409; readonly answer: schemas.Refused };

async function ask(ports: ServerPorts, runId: string, request: RunRequest): Promise<AskedAnswer> {
  const row = await ports.journal.run(runId);
  if (row === null) return { status: 404, answer: unknownRun(runId) };
  if (row.finishedAt !== null) return { status: 409, answer: notAsked(`the run ended already: ${row.state}`) };
  const asked = await ports.conductor.ask(row.id, request);
  if (asked.ok) return { status: 202, answer: { id: row.id } };
  const { kind, message } = asked.error;
  return kind === 'step-unknown'
    ? { status: 404, answer: unknownStep(row.id, message) }
    : { status: 409, answer: notAsked(message) };
}

async function listRuns(
  ports: ServerPorts,
  query: z.infer<typeof schemas.runsQuerySchema>,
): Promise<{ runs: schemas.RunAnswer[] }> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const rows = await ports.journal.runs({ limit: query.limit, ...Object.fromEntries(given) });
  return { runs: rows.map(runOf) };
}

async function rerun(
  ports: ServerPorts,
  runId: string,
  request: schemas.RerunRequest,
): Promise<{ id: string } | schemas.Refused> {
  const { failed = false, from, atHead = false, by = 'api', key = crypto.randomUUID() } = request ?? {};
  const steps = from === undefined ? (failed ? 'failed' : 'all') : { from };
  return answerOf(await ports.conductor.rerun({ runId, steps, atHead, actor: by, key }));
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
    rerunOf: opened.trigger.kind === 'rerun' ? opened.trigger.of : null,
    state: row.state,
    reason: row.reason,
    openedAt: opened.at,
    finishedAt: row.finishedAt,
  };
}
