/** What is asked to be opened or promoted, by people or a merge that waits, and the answer, as the journal keeps them: written by one server, read by another. */
import { z } from 'zod';
import type { RerunSteps } from '../../engine/event.ts';
import { parseSha } from '../../git/git.ts';
import type { JsonObject } from '../../std/json.ts';
import type { Problem } from '../../std/problem.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { storedCovered, type CoveredPush } from '../triggers/covered-pushes.ts';
import type { ManualRun } from '../triggers/manual-runs.ts';
import type { Rerun } from '../triggers/reruns.ts';
import { problemSchema } from '../stored.ts';
import type { ModelApproval } from '../approve-model.ts';

export type Order =
  | { readonly kind: 'run'; readonly run: ManualRun }
  | { readonly kind: 'rerun'; readonly rerun: Rerun }
  | { readonly kind: 'promote'; readonly approval: ModelApproval }
  /** Has no answer before the run has ended that the push was left to. */
  | { readonly kind: 'covered'; readonly push: CoveredPush };

/** The id of the run that was opened or meant; or why not. */
export type Answer = Result<string, Problem | string>;

const shaSchema = z.string().transform((text, context) => {
  const parsed = parseSha(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error.message });
  return z.NEVER;
});

const stepsSchema = z.union([
  z.enum(['all', 'failed']),
  z.object({ from: z.string() }),
]) satisfies z.ZodType<RerunSteps>;

const orderSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('run'),
    run: z.object({
      repository: z.string(),
      pipeline: z.string(),
      sha: shaSchema,
      actor: z.string(),
      logicalDate: z.number().nullable(),
      parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      key: z.string(),
    }),
  }),
  z.object({
    kind: z.literal('rerun'),
    rerun: z.object({
      runId: z.string(),
      steps: stepsSchema,
      atHead: z.boolean(),
      actor: z.string(),
      key: z.string(),
    }),
  }),
  z.object({
    kind: z.literal('promote'),
    approval: z.object({ runId: z.string(), model: z.string().nullable(), actor: z.string() }),
  }),
  z.object({
    kind: z.literal('covered'),
    push: z.object({
      repository: z.string(),
      pipeline: z.string(),
      sha: shaSchema,
      branch: z.string(),
      actor: z.string(),
      key: z.string(),
      pullRequest: z.number(),
      runId: z.string(),
      at: z.number(),
    }),
  }),
]);

const answerSchema = z.union([
  z.object({ runId: z.string() }),
  z.object({ refused: z.union([z.string(), problemSchema]) }),
]);

export function storedOrder(order: Order): JsonObject {
  if (order.kind === 'run') return { kind: 'run', run: { ...order.run } };
  if (order.kind === 'promote') return { kind: 'promote', approval: { ...order.approval } };
  if (order.kind === 'covered') return storedCovered(order.push);
  const { runId, steps, atHead, actor, key } = order.rerun;
  return {
    kind: 'rerun',
    rerun: { runId, steps: typeof steps === 'string' ? steps : { ...steps }, atHead, actor, key },
  };
}

/** Null: no order that this version knows. */
export function readOrder(body: JsonObject): Order | null {
  const parsed = orderSchema.safeParse(body);
  return parsed.success ? parsed.data : null;
}

export function storedAnswer(answer: Answer): JsonObject {
  if (answer.ok) return { runId: answer.value };
  const { error } = answer;
  if (typeof error === 'string') return { refused: error };
  const { where } = error;
  return { refused: { ...error, where: where === null ? null : { ...where } } };
}

export function readAnswer(body: JsonObject): Answer {
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) return failure('the answer was written by another version');
  return 'runId' in parsed.data ? success(parsed.data.runId) : failure(parsed.data.refused);
}
