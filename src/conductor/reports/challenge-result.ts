/** Reads what challenge and gate steps gave: the runner wrote it, so it is parsed here once, at the wall. */
import { z } from 'zod';
import type { Run, Step } from '../../engine/run.ts';
import { binaryMetrics, regressionMetrics, type Artifact, type ChallengeWork } from '../../pipeline/definition.ts';
import type { Json } from '../../std/json.ts';
import { verdictKinds, type Verdict } from '../../verdict/verdict.ts';

const metricSchema = z.enum([...binaryMetrics, ...regressionMetrics]);

const artifactSchema = z.object({
  $artifact: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string(),
  bytes: z.number().int().nonnegative(),
});

const verdictSchema = z.object({
  kind: z.enum(verdictKinds),
  promotable: z.boolean(),
  reason: z.string(),
  rows: z.number(),
  metric: metricSchema,
  metrics: z.array(
    z.object({
      metric: metricSchema,
      greaterIsBetter: z.boolean(),
      challenger: z.number().nullable(),
      champion: z.number().nullable(),
      guardrail: z.object({ maxLoss: z.number(), held: z.boolean() }).nullable(),
    }),
  ),
  difference: z
    .object({
      value: z.number(),
      low: z.number(),
      high: z.number(),
      confidence: z.number(),
      p: z.number().nullable(),
      method: z.enum(['delong', 'paired-bootstrap']),
    })
    .nullable(),
  required: z.number(),
  threshold: z.number().nullable(),
}) satisfies z.ZodType<Verdict>;

const challengeSchema = z.object({
  model: z.string(),
  verdict: verdictSchema,
  challenger: artifactSchema,
  championVersion: z.number().int().positive().nullable(),
  predictions: artifactSchema.nullable(),
});

const gateSchema = z.object({
  path: z.string(),
  passed: z.boolean(),
  rows: z.number(),
  checks: z.array(
    z.object({
      check: z.string(),
      column: z.string().nullable(),
      value: z.number().nullable(),
      min: z.number().nullable(),
      max: z.number().nullable(),
      passed: z.boolean(),
      message: z.string(),
    }),
  ),
});

export interface ChallengeResult {
  readonly step: string;
  readonly work: ChallengeWork;
  readonly verdict: Verdict;
  readonly challenger: Artifact;
  readonly championVersion: number | null;
  readonly predictions: Artifact | null;
}

export interface GateResult extends z.infer<typeof gateSchema> {
  readonly step: string;
}

/** A verdict as an evaluation keeps it; null where it is none that this version knows. */
export function verdictOf(kept: Json): Verdict | null {
  return verdictSchema.safeParse(kept).data ?? null;
}

/** The challenges of a run that ended with a verdict. */
export function challengesOf(run: Run): readonly ChallengeResult[] {
  const results: ChallengeResult[] = [];
  for (const step of run.steps.values()) {
    const { work, name } = step.definition;
    if (work.kind !== 'challenge') continue;
    for (const output of outputsOf(step)) {
      const parsed = challengeSchema.safeParse(output);
      if (parsed.success) results.push({ step: name, work, ...parsed.data });
    }
  }
  return results;
}

/** The gates of a run that measured, whether they let it pass or not. */
export function gatesOf(run: Run): readonly GateResult[] {
  const results: GateResult[] = [];
  for (const step of run.steps.values()) {
    if (step.definition.work.kind !== 'gate') continue;
    for (const output of outputsOf(step)) {
      const parsed = gateSchema.safeParse(output);
      if (parsed.success) results.push({ step: step.definition.name, ...parsed.data });
    }
  }
  return results;
}

/** A failed gate's numbers are kept, whatever became of the step. */
function outputsOf(step: Step): readonly unknown[] {
  return (step.instances ?? []).flatMap(({ output }) => (output !== null && 'inline' in output ? [output.inline] : []));
}
