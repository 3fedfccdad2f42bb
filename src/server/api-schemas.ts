/** What goes over the wire: one schema checks a request, shapes its answer and describes both in openapi.json. */
import { z } from 'zod';

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

const asker = z.string().min(1).max(200).default('api').describe('Whose name is kept with it');

export const runRequestSchema = z.strictObject({
  repository: z.string().optional().describe('May be left out where the server watches one repository'),
  pipeline: z.string(),
  revision: z.string().default('HEAD').describe('A branch, a tag or a SHA'),
  date: z.iso.date().optional().describe('The logical date, UTC; now where it is left out'),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
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
export const cancelRequestSchema = z.strictObject({ by: asker, reason: reason.default('asked for') }).nullish();

/** The whole body may be left out. */
export const approveRequestSchema = z
  .strictObject({ by: asker, reason: reason.min(1).nullable().default(null) })
  .nullish();

export const rejectRequestSchema = z.strictObject({ by: asker, reason: reason.min(1) });

export type RunRequest = z.infer<typeof runRequestSchema>;
export type RerunRequest = z.infer<typeof rerunRequestSchema>;
export type RunAnswer = z.infer<typeof runSchema>;
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
