/** What the API tells of the steps of a run, from the same views as its page: all of them in short, one with its instances. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { readRun } from '../conductor/read.ts';
import { stepWaits } from '../conductor/waits/step-waits.ts';
import type { Instance, Run, Step } from '../engine/run.ts';
import { attemptViewOf, stepViewOf } from '../ui/ui.ts';
import * as schemas from './api-schemas.ts';
import type { ServerPorts } from './ports.ts';
import { unknownRun, unknownStep } from './refusals.ts';

const limits = { textCharactersMax: 1000, attemptsMax: 20 } as const;

export function addStepReading(app: FastifyInstance, ports: ServerPorts): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/api/v1/runs/:id/steps/:step',
    {
      schema: {
        summary: 'One step of a run, with its instances and their attempts',
        params: schemas.stepSchema,
        querystring: schemas.instancesQuerySchema,
        response: { 200: schemas.wholeStepSchema, 400: schemas.errorSchema, 404: schemas.refusedSchema },
      },
    },
    async (request, reply) => {
      const run = await readRun(ports.journal, request.params.id);
      if (run === null) return reply.code(404).send(unknownRun(request.params.id));
      const step = run.steps.get(request.params.step);
      if (step === undefined) return reply.code(404).send(unknownStep(request.params.id, 'the run has no such step'));
      return wholeStepOf(run, step, request.query, ports);
    },
  );
}

/** In the order of the definition. */
export function stepsOf(run: Run, ports: ServerPorts): schemas.WholeRunAnswer['steps'] {
  return [...run.steps.values()].map((step) => summaryOf(run, step, ports));
}

function summaryOf(run: Run, step: Step, ports: ServerPorts): schemas.WholeRunAnswer['steps'][number] {
  const { name, message, counts, bars: _, ...view } = stepViewOf(step);
  return {
    ...view,
    step: name,
    reason: cut(message),
    counts: [...counts],
    waits: waitsOf(run, step, null, ports),
  };
}

function wholeStepOf(
  run: Run,
  step: Step,
  { state, after, limit }: schemas.InstancesQuery,
  ports: ServerPorts,
): schemas.WholeStepAnswer {
  const instances = step.instances ?? [];
  const page = instances
    .slice(after + 1)
    .filter((each) => state === undefined || each.state === state)
    .slice(0, limit);
  return {
    ...summaryOf(run, step, ports),
    instances: page.map((instance) => ({
      index: instance.index,
      state: instance.state,
      reason: cut(instance.reason),
      waits: waitsOf(run, step, instance.index, ports),
      dueAt: instance.dueAt,
      reusedFrom: instance.reusedFrom,
      attemptsTotal: instance.attempts.length,
      attempts: attemptsOf(step, instance),
    })),
    instancesTotal: instances.length,
  };
}

function attemptsOf(step: Step, instance: Instance): schemas.WholeStepAnswer['instances'][number]['attempts'] {
  return instance.attempts.slice(-limits.attemptsMax).map((attempt) => {
    const view = attemptViewOf(attempt, step, instance);
    return { ...view, message: cut(view.message) };
  });
}

function waitsOf(run: Run, step: Step, index: number | null, { conductor, clock }: ServerPorts): string | null {
  return cut(stepWaits(run, step, index, conductor, clock.now()));
}

function cut(text: string | null): string | null {
  if (text === null || text.length <= limits.textCharactersMax) return text;
  return `${text.slice(0, limits.textCharactersMax)}…`;
}
