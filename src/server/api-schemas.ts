/** What goes over the wire: one schema checks a request, shapes its answer and describes both in openapi.json. */
import { z } from 'zod';
import { parameterItemsMax, type ParameterValue } from '../pipeline/parameter.ts';
import { failureCauses, stepStates } from '../engine/event.ts';

/** What openapi.json says of a route that changes something. */
export const tokenNeeded = { security: [{ token: [] }] } as const;

export const idSchema = z.object({ id: z.string() });

export const stepSchema = idSchema.extend({ step: z.string().describe('With its groups: `prepare%2Fclean`') });

export const runSchema = z.object({
  id: z.string(),
  number: z.number().int().describe('Of its pipeline, from 1'),
  repository: z.string(),
  pipeline: z.string(),
  sha: z.string(),
  trigger: z.string().describe('push, pull-request, schedule, manual, backfill, pipeline, data or rerun'),
  rerunOf: z.string().nullable().describe('The run that it is once more'),
  state: z.enum(['running', 'cancelling', 'success', 'failed', 'cancelled']),
  reason: z.string().nullable(),
  openedAt: z.number().int().describe('Milliseconds since the epoch'),
  finishedAt: z.number().int().nullable().describe('Milliseconds since the epoch'),
});

const time = z.number().int().nullable().describe('Milliseconds since the epoch; null: not yet, or never');
const waits = z.string().nullable().describe('What it waits for, in words; null: it does not, or has ended');
const state = z.enum(stepStates);

const stepSummarySchema = z.object({
  step: z.string().describe('With its groups: `prepare/clean`'),
  kind: z.string().describe('function, command, gate, challenge, …'),
  state,
  reason: z.string().nullable().describe('Why it ended so, or what its last attempt said; cut at 1000 characters'),
  waits,
  mapped: z.boolean(),
  counts: z.array(z.object({ state, count: z.number().int() })).describe('Instances of a mapped step by state'),
  attempts: z.number().int(),
  startedAt: time,
  finishedAt: time,
  dueAt: time.describe('When it is tried again, or is out of time'),
  reusedFrom: z
    .string()
    .nullable()
    .describe('The run whose attempts gave what stands here; null: this one, or for only some instances another'),
  fromCache: z.boolean(),
});

const attemptSchema = z.object({
  number: z.number().int(),
  state,
  cause: z.enum(failureCauses).nullable(),
  exitCode: z.number().int().nullable(),
  message: z.string().nullable().describe('Cut at 1000 characters'),
  place: z.string().nullable(),
  cache: z
    .union([z.object({ runId: z.string() }), z.object({ missed: z.string() })])
    .nullable()
    .describe('The run whose output stands for it, or why none does; null: it has no cache, or nobody looked yet'),
  startedAt: z.number().int(),
  runningAt: time,
  finishedAt: time,
  cpuMs: z.number().nullable(),
  memoryBytesMax: z.number().nullable(),
});

/** One run, with its steps in the order of the definition. */
export const wholeRunSchema = runSchema.extend({ waits, steps: z.array(stepSummarySchema) });

export const wholeStepSchema = stepSummarySchema.extend({
  instances: z.array(
    z.object({
      index: z.number().int(),
      state,
      reason: z.string().nullable(),
      waits,
      dueAt: time,
      reusedFrom: z.string().nullable().describe('The run whose attempts gave what stands here; null: this one'),
      attemptsTotal: z.number().int(),
      attempts: z.array(attemptSchema).describe('The last 20, oldest first'),
    }),
  ),
  instancesTotal: z.number().int().describe('0 while the length of a mapped step is not known'),
});

export const instancesQuerySchema = z.strictObject({
  state: state.optional(),
  after: z.coerce.number().int().min(-1).default(-1).describe('The index of the last instance of the page before'),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});

export const poolSchema = z.object({
  pool: z.string().nullable().describe('Null: the slots of the executor'),
  slots: z.number().int(),
  taken: z.number().int(),
  waiting: z.number().int().describe('Runs in line'),
});

export const errorSchema = z.object({ error: z.string() });

/** A request that can be read and not be carried out; where a definition or a parameter is at fault, with its problem. */
export const refusedSchema = errorSchema.extend({
  problem: z
    .object({
      code: z.string().describe('docs/errors.md explains each'),
      message: z.string(),
      where: z.object({ file: z.string(), line: z.number().int(), column: z.number().int() }).nullable(),
      help: z.string(),
    })
    .optional(),
});

export const runsQuerySchema = z.strictObject({
  repository: z.string().optional(),
  pipeline: z.string().optional(),
  state: runSchema.shape.state.optional(),
  before: z.string().optional().describe('The id of the last run of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const parametersSchema: z.ZodType<{ readonly [name: string]: ParameterValue }> = z.record(
  z.string(),
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.array(z.string()).max(parameterItemsMax),
    z.array(z.number()).max(parameterItemsMax),
  ]),
);
const asker = z.string().min(1).max(200).default('api').describe('Whose name is kept with it');

export const runRequestSchema = z.strictObject({
  repository: z.string().optional().describe('May be left out where the server watches one repository'),
  pipeline: z.string(),
  revision: z.string().default('HEAD').describe('A branch, a tag or a SHA'),
  date: z.iso.date().optional().describe('The logical date, UTC; now where it is left out'),
  parameters: parametersSchema.default({}),
  by: asker,
  key: z.string().max(200).optional().describe('The same key is the same run'),
});

const reason = z.string().max(1000);

/** The whole body may be left out. */
export const rerunRequestSchema = z
  .strictObject({
    failed: z.boolean().default(false).describe('Only the steps that failed or never ran, and what comes after them'),
    from: z.string().optional().describe('Only this step and what comes after it'),
    atHead: z.boolean().default(false).describe('At the head of its branch instead of the same commit'),
    by: asker,
    key: z.string().max(200).optional().describe('The same key is the same run'),
  })
  .refine(({ failed, from }) => !failed || from === undefined, { error: 'failed or from, not both' })
  .nullish();

/** The whole body may be left out. */
export const promoteRequestSchema = z
  .strictObject({ model: z.string().max(200).optional().describe('Which, where several of the run wait'), by: asker })
  .nullish();

/** The whole body may be left out. */
export const cancelRequestSchema = z.strictObject({ by: asker, reason: reason.default('asked for') }).nullish();

/** The whole body may be left out. */
export const approveRequestSchema = z
  .strictObject({ by: asker, reason: reason.min(1).nullable().default(null) })
  .nullish();

export const rejectRequestSchema = z.strictObject({ by: asker, reason: reason.min(1) });

export type RunRequest = z.infer<typeof runRequestSchema>;
export type RerunRequest = z.infer<typeof rerunRequestSchema>;
export type RunAnswer = z.infer<typeof runSchema>;
export type WholeRunAnswer = z.infer<typeof wholeRunSchema>;
export type WholeStepAnswer = z.infer<typeof wholeStepSchema>;
export type InstancesQuery = z.infer<typeof instancesQuerySchema>;
export type Refused = z.infer<typeof refusedSchema>;

export const standingSchema = z.object({
  /** This server does, and has taken up what was left. */
  conducts: z.boolean(),
  /** Null: nobody that this server knows of. `since` is milliseconds; `epoch` rises with each change. */
  conductor: z
    .object({
      pid: z.number(),
      host: z.string(),
      url: z.string().nullable(),
      since: z.number(),
      epoch: z.number(),
    })
    .nullable(),
});
