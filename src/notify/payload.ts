/** The body of a webhook. Fields are only ever added; one that changes its meaning gets another `version`. */
import { z } from 'zod';

export const notificationEvents = [
  'deadline-missed',
  'run-failed',
  'run-recovered',
  'promotion-failed',
  'approval-needed',
  'tick-missed',
] as const;

const moment = z.iso.datetime().describe('UTC');

export const payloadSchema = z.strictObject({
  version: z.literal(1),
  id: z.string().describe('the same news has the same id, however often it arrives'),
  event: z.enum(notificationEvents),
  at: moment.describe('when it happened, not when it was told'),
  summary: z.string().describe('one line for people'),
  reason: z.string().nullable().describe('why, where there is more to say'),
  repository: z.string(),
  pipeline: z.string(),
  run: z
    .strictObject({
      id: z.string(),
      number: z.number().int().describe('of the pipeline, from 1'),
      url: z.string().nullable().describe('its page'),
      sha: z.string(),
      trigger: z.string().describe('push, schedule, manual, rerun, and what there may be more'),
      state: z.enum(['running', 'cancelling', 'success', 'failed', 'cancelled']).describe('when it was told'),
      startedAt: moment,
      logicalDate: moment,
    })
    .nullable()
    .describe('null: there is none, for its tick was missed'),
});
