/**
 * What the program in a pod or on a worker (the agent) and the server (`desk`) say to each other about one attempt, or
 * one look. Every request may come twice. The token that the agent is started with is good for `begin` alone, and for one
 * agent: what stands in the specification of a pod can be read by others. The answer has the token for all the rest.
 *
 *   POST begin              ─► Begun         may it run at all; what it is, and with which secrets
 *   GET  source             ─► a tar of the files of the commit
 *   GET  artifacts/SHA256   ─► its bytes; 404: it is not there
 *   PUT  artifacts/SHA256   ─► Artifact      the bytes, which the server hashes too
 *   POST log                ─► LogKept       whole lines, numbered, so that none is kept twice
 *   POST alive              ─► nothing       that it is still there, where nothing else was said for a while
 *   POST ended              ─► Ended         of a helper: whether the container beside it has ended; answered when it has,
 *                                            or after a while
 *   POST collect            ─► Collected     of a helper: the outputs of the container that has ended are looked for
 *   POST result             ─► nothing       how it ended, after everything else was kept
 *
 * An answer 410 says that the attempt is over, or never was; 503 that this server does not know yet, or that another one
 * conducts: the agent asks again.
 */
import { z } from 'zod';
import type { AttemptOutcome, LookOutcome, StepOutput, Usage } from '../../engine/event.ts';
import type { LogLine } from '../../outputs/outputs.ts';
import type { Json } from '../../std/json.ts';
import type { AttemptSpec, LookSpec } from '../executor.ts';

export const agentPath = '/agent/v1';

export const agentLimits = {
  /** Of the lines of one part of a log. */
  logLinesMax: 500,
  logBytesMax: 512 * 1024,
  /** Between two words of an agent that has nothing else to say. */
  aliveMs: 15_000,
  /** Before a question that waits for something is answered with "not yet". */
  waitMs: 20_000,
} as const;

/** What an agent is to carry out. */
export type AgentTask =
  | { readonly type: 'attempt'; readonly spec: AttemptSpec }
  | { readonly type: 'look'; readonly spec: LookSpec };

export interface Begun {
  readonly task: AgentTask;
  /** By name: those that the step names, and nothing else. */
  readonly secrets: { readonly [name: string]: string };
  /** For all further requests. */
  readonly token: string;
}

/** Made by the agent when it starts, of 32 random bytes: another agent of the same attempt has another. */
export const beginSchema = z.strictObject({ agent: z.string().regex(/^[\w-]{43}$/) });

/** Lines from the number `from` on, one after the other. */
export interface LogPart {
  readonly from: number;
  readonly lines: readonly Pick<LogLine, 'at' | 'stream' | 'text'>[];
  /** Nothing follows. */
  readonly closed: boolean;
}

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

export interface LogKept {
  /** So many lines are kept now: the next part begins behind them. */
  readonly total: number;
  /** No more of them are kept. */
  readonly isFull: boolean;
}

export interface Ended {
  readonly ended: boolean;
}

/** What a helper cannot see of the container beside it. */
export interface Collected {
  /** The last line that it printed; null where there was none. */
  readonly lastLine: string | null;
}

/** How what the agent carried out ended. */
export type AgentResult =
  | { readonly type: 'attempt'; readonly outcome: AttemptOutcome; readonly usage: Usage | null }
  | { readonly type: 'look'; readonly outcome: LookOutcome };

const json: z.ZodType<Json> = z.json();
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

const cause = z.enum([
  'code',
  'timeout',
  'out-of-memory',
  'output',
  'lost',
  'evicted',
  'start',
  'registry',
  'invalid',
  'cancelled',
]);

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
