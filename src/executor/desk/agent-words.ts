/** What agents say, held to its contract (src/executor/agent/contract.ts): user code runs beside them, and may say anything. */
import { z } from 'zod';
import {
  engineLimits,
  failureCauses,
  type AttemptOutcome,
  type LookOutcome,
  type StepOutput,
} from '../../engine/event.ts';
import { isTooDeep, type Json } from '../../std/json.ts';
import {
  agentLimits,
  type AgentResult,
  type Begin,
  type LogPart,
  type Note,
  type StillAlive,
} from '../agent/contract.ts';

export const beginSchema: z.ZodType<Begin> = z.strictObject({
  agent: z.string().regex(/^[\w-]{43}$/),
  place: z.string().min(1).max(256).nullable(),
});

export const aliveSchema: z.ZodType<StillAlive> = z.strictObject({ stop: z.number().int().min(0).nullable() });

const logLine = z.strictObject({
  at: z.number().int().min(0),
  stream: z.enum(['out', 'err', 'contender']),
  text: z.string().max(64 * 1024),
});

export const logPartSchema: z.ZodType<LogPart> = z.strictObject({
  from: z.number().int().min(1),
  lines: z.array(logLine).max(agentLimits.logLinesMax),
  closed: z.boolean(),
});

export const noteSchema: z.ZodType<Note> = logLine.omit({ stream: true });

/** What a step gives inline is at most so deep and so long, whoever says it in its name. */
const json = z.custom<Json>((value) => isInline(value as Json), 'no JSON that may stand in the journal');

function isInline(value: Json): boolean {
  if (value === undefined || isTooDeep(value)) return false;
  return Buffer.byteLength(JSON.stringify(value)) <= engineLimits.outputInlineBytesMax;
}
const sentence = z.string().max(64 * 1024);

const artifact = z.strictObject({
  $artifact: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().max(1024),
  bytes: z.number().int().min(0),
});

const output: z.ZodType<StepOutput> = z.union([
  z.strictObject({ inline: json }),
  z.strictObject({ stored: artifact, lengths: z.record(z.string(), z.number().int().min(0)) }),
]);

const cause = z.enum(failureCauses);

const attemptOutcome: z.ZodType<AttemptOutcome> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('succeeded'),
    output,
    control: z
      .union([
        z.strictObject({ follow: z.array(sentence).max(10_000) }),
        z.strictObject({ pass: z.boolean(), reason: sentence }),
      ])
      .nullable(),
  }),
  z.strictObject({ kind: z.literal('failed'), cause, message: sentence, exitCode: z.number().int().nullable() }),
  z.strictObject({ kind: z.literal('skipped'), reason: sentence }),
]);

const lookOutcome: z.ZodType<LookOutcome> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('seen'), output }),
  z.strictObject({ kind: z.literal('not-yet'), reason: sentence }),
  z.strictObject({ kind: z.literal('impossible'), reason: sentence }),
  z.strictObject({ kind: z.literal('failed'), cause, message: sentence }),
]);

const amount = z.number().min(0).nullable();

export const agentResultSchema: z.ZodType<AgentResult> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('attempt'),
    outcome: attemptOutcome,
    usage: z.strictObject({ wallMs: z.number().min(0), cpuMs: amount, memoryBytesMax: amount }).nullable(),
  }),
  z.strictObject({ type: z.literal('look'), outcome: lookOutcome }),
]);
