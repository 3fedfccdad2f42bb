/** What the conductor itself wrote into the journal as JSON, read back: parsed all the same, since an older version may have written it. */
import { z } from 'zod';
import type { ForgeEvent } from '../forge/forge.ts';
import { notificationEvents } from '../notify/notify.ts';
import type { JsonObject } from '../std/json.ts';
import { problemCodes } from '../std/problem-codes.ts';
import type { Notice } from './reports/notices.ts';
import type { ChangesAsked, RunlessReport } from './reports/report-writes.ts';

const pullRequestSchema = z.object({
  number: z.number(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  mergeSha: z.string().nullable(),
  headSha: z.string(),
  headBranch: z.string(),
  baseBranch: z.string(),
  baseSha: z.string(),
  fork: z.boolean(),
  author: z.string(),
  title: z.string(),
});

const eventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('push'),
    ref: z.string(),
    before: z.string().nullable(),
    after: z.string().nullable(),
    actor: z.string(),
  }),
  z.object({
    type: z.literal('pull-request'),
    action: z.enum(['opened', 'synchronize', 'reopened', 'closed', 'ready_for_review', 'edited']),
    pullRequest: pullRequestSchema,
    actor: z.string(),
  }),
  z.object({
    type: z.literal('comment'),
    pullRequest: z.number(),
    commentId: z.string(),
    body: z.string(),
    actor: z.string(),
    actorIsBot: z.boolean(),
  }),
  z.object({ type: z.literal('rerequested'), sha: z.string(), runId: z.string().nullable(), actor: z.string() }),
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('ignored'), reason: z.string() }),
]) satisfies z.ZodType<ForgeEvent>;

/** A forge's event as the journal keeps it. */
export function storedEvent(event: ForgeEvent): JsonObject {
  return event.type === 'pull-request' ? { ...event, pullRequest: { ...event.pullRequest } } : { ...event };
}

/** Null: no event that this version knows. */
export function readEvent(body: JsonObject): ForgeEvent | null {
  const parsed = eventSchema.safeParse(body);
  return parsed.success ? parsed.data : null;
}

export const problemSchema = z.object({
  code: z.enum(problemCodes),
  message: z.string(),
  where: z.object({ file: z.string(), line: z.number(), column: z.number() }).nullable(),
  help: z.string(),
});

const runlessReportSchema = z.object({
  repository: z.string(),
  pipeline: z.string(),
  sha: z.string(),
  pullRequest: z.number().nullable(),
  // Older ones do not have it.
  baseSha: z.string().nullable().default(null),
  state: z.enum(['pending', 'running', 'waiting', 'success', 'failure', 'error', 'neutral', 'cancelled']),
  summary: z.string(),
  problems: z.array(problemSchema),
  coveredBy: z.string().nullable(),
});

/** Null: no report that this version knows. */
export function readRunlessReport(body: JsonObject): RunlessReport | null {
  const parsed = runlessReportSchema.safeParse(body);
  return parsed.success ? parsed.data : null;
}

const changesAskedSchema = z.object({
  repository: z.string(),
  pullRequest: z.number(),
  ...pullRequestSchema.pick({ headSha: true, baseSha: true, baseBranch: true, fork: true }).shape,
});

/** Null: nothing that this version knows. */
export function readChangesAsked(body: JsonObject): ChangesAsked | null {
  return changesAskedSchema.safeParse(body).data ?? null;
}

const noticeSchema = z
  .object({
    id: z.string(),
    event: z.enum(notificationEvents),
    channel: z.string(),
    at: z.number(),
    reason: z.string().nullable(),
  })
  .and(
    z.union([
      z.object({ runId: z.string() }),
      z.object({ runId: z.null(), repository: z.string(), pipeline: z.string() }),
    ]),
  );

/** Null: no notice that this version knows. */
export function readNotice(body: JsonObject): Notice | null {
  const parsed = noticeSchema.safeParse(body);
  return parsed.success ? parsed.data : null;
}
