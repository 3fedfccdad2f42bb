/**
 * What the program in a pod or on a worker (the agent) and the server (`desk`) say to each other about one attempt, or
 * one look. Every request may come twice. The token that the agent is started with is good for `begin` alone, and for one
 * agent: what stands in the specification of a pod can be read by others. The answer has the token for all the rest.
 *
 *   POST begin              ─► Begun         may it run at all; what it is, and with which secrets
 *   GET  source             ─► a tar of the files of the commit
 *   GET  artifacts/SHA256   ─► its bytes; 404: it is not there
 *   PUT  artifacts/SHA256   ─► Artifact      the bytes, which the server hashes too
 *   GET  checkpoint         ─► a tar of what the try before has left; 404: nothing
 *   PUT  checkpoint         ─► nothing       a tar of what this one leaves for the next
 *   POST log                ─► LogKept       whole lines, numbered, so that none is kept twice
 *   POST note               ─► nothing       of a helper: a line for the log of the attempt, which is that of the container
 *   POST alive              ─► Alive         that it is still there; whether it is to end: answered when that changes, or
 *                                            after a while
 *   POST ended              ─► Ended         of a helper: whether the container beside it has ended; answered when it has,
 *                                            or after a while
 *   POST collect            ─► Collected     of a helper: the outputs of the container that has ended are looked for
 *   POST result             ─► nothing       how it ended, after everything else was kept
 *
 * An answer 410 says that the attempt is over, or never was; 503 that this server does not know yet, that another one
 * conducts, or that lines could not be written: the agent asks again.
 */
import type { AttemptOutcome, LookOutcome, Usage } from '../../engine/event.ts';
import type { LogLine } from '../../outputs/outputs.ts';
import type { AttemptSpec, LookSpec } from '../executor.ts';

export const agentPath = '/agent/v1';

export const agentLimits = {
  /** Of one part of a log: its lines, and their bytes as JSON. */
  logLinesMax: 4000,
  logBytesMax: 512 * 1024,
  /** Between two words of an agent that has nothing else to say, beside the time that the answer takes. */
  aliveMs: 200,
  /** Before a question that waits for something is answered with "not yet". */
  waitMs: 20_000,
  /** Of the files that a try leaves for the next one. */
  checkpointBytesMax: 16 * 1024 ** 3,
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
export interface Begin {
  readonly agent: string;
  /** How people know the machine; null: the server knows it otherwise. */
  readonly place: string | null;
}

/** Lines from the number `from` on, one after the other. */
export interface LogPart {
  readonly from: number;
  readonly lines: readonly Pick<LogLine, 'at' | 'stream' | 'text'>[];
  /** Nothing follows. */
  readonly closed: boolean;
}

export interface LogKept {
  /** So many lines are kept now: the next part begins behind them. */
  readonly total: number;
  /** No more of them are kept. */
  readonly isFull: boolean;
}

/** What a helper says of its own part. */
export type Note = Pick<LogLine, 'at' | 'text'>;

/** `stop`: the grace, in milliseconds, with which it was told to end already; null: it was not. */
export interface StillAlive {
  readonly stop: number | null;
}

export interface Alive {
  /** It is to end, with so much grace from the warning on, in milliseconds; null: it may go on. */
  readonly stop: number | null;
}

export interface Ended {
  readonly ended: boolean;
}

/** What a helper cannot see of the container beside it. */
export interface Collected {
  /** It is known to have ended well; false also where that is not known. */
  readonly hasSucceeded: boolean;
  /** The last line that it printed; null where there was none. */
  readonly lastLine: string | null;
  /** Its log could not be read to its end yet, so there may be another last line: asked again, it may be known. */
  readonly mayHaveMore: boolean;
}

/** How what the agent carried out ended. */
export type AgentResult =
  | { readonly type: 'attempt'; readonly outcome: AttemptOutcome; readonly usage: Usage | null }
  | { readonly type: 'look'; readonly outcome: LookOutcome };
