/** What goes over the wire of backfills. */
import { z } from 'zod';
import { backfillStates, reprocessChoices } from '../journal/journal.ts';
import { parametersSchema, runSchema } from './api-schemas.ts';

const timeSchema = z.number().int().describe('Milliseconds since the epoch');
const reprocessSchema = z
  .enum(reprocessChoices)
  .describe('Which dates that were run before are run again: none, those that ended badly, or all that have ended');

export const backfillRequestSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9-]{8,40}$/)
    .optional()
    .describe('The same id is the same backfill'),
  repository: z.string().optional().describe('May be left out where the server watches one repository'),
  pipeline: z.string(),
  revision: z.string().default('HEAD').describe('A branch, a tag or a SHA: all runs are of this commit'),
  from: z.iso.date().describe('The first day of the logical dates, UTC'),
  to: z.iso.date().describe('The last day of the logical dates, UTC'),
  newestFirst: z.boolean().default(false),
  maxActive: z.number().int().min(1).max(100).default(1).describe('So many of its runs at once'),
  reprocess: reprocessSchema.default('none'),
  parameters: parametersSchema.default({}).describe('Of all its runs; those left out have their defaults'),
  dryRun: z.boolean().default(false).describe('Say what it would do, and do nothing'),
  by: z.string().min(1).max(200).default('api').describe('Whose name is kept with it'),
});

export const planSchema = z.object({
  sha: z.string(),
  intervals: z.array(
    z.object({
      logicalDate: timeSchema,
      intervalEnd: timeSchema,
      skipped: z.string().nullable().describe('Why it would get no run; null where it would'),
    }),
  ),
});

const countSchema = z.number().int().describe('A number of intervals');

export const backfillSchema = z.object({
  id: z.string(),
  repository: z.string(),
  pipeline: z.string(),
  sha: z.string(),
  digest: z.string(),
  by: z.string(),
  from: z.string(),
  to: z.string(),
  newestFirst: z.boolean(),
  maxActive: z.number().int(),
  reprocess: reprocessSchema,
  parameters: parametersSchema.describe('Where one is not its default: those of each run'),
  at: timeSchema,
  state: z.enum(backfillStates),
  reason: z.string().nullable(),
  finishedAt: timeSchema.nullable(),
  waiting: countSchema,
  skipped: countSchema,
  active: countSchema,
  succeeded: countSchema,
  failed: countSchema.describe('Cancelled ones too'),
});

export const wholeBackfillSchema = backfillSchema.extend({
  intervals: z.array(
    z.object({
      position: z.number().int(),
      logicalDate: timeSchema,
      intervalEnd: timeSchema,
      decision: z.enum(['waiting', 'run', 'skipped']),
      reason: z.string().nullable(),
      runId: z.string().nullable(),
      runState: runSchema.shape.state.nullable(),
    }),
  ),
});

export const backfillsQuerySchema = z.strictObject({ limit: z.coerce.number().int().min(1).max(200).default(50) });

export type BackfillRequestBody = z.infer<typeof backfillRequestSchema>;
export type PlanAnswer = z.infer<typeof planSchema>;
export type BackfillAnswer = z.infer<typeof backfillSchema>;
