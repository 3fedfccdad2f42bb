/** What the functions of a definition are told about their attempt or look, and what they may ask for. */
import type { Artifact } from './definition.ts';
import type { ParameterValue } from './parameter.ts';

/** What is known of an attempt before it starts, as plain data. */
export interface StepContextData {
  readonly runId: string;
  readonly repository: string;
  readonly pipeline: string;
  readonly step: string;
  /** Of the instance of a mapped step; 0 for every other. */
  readonly index: number;
  /** From 1. */
  readonly attempt: number;
  readonly sha: string;
  /** Empty for a schedule, for news of data and for a run that a person started. */
  readonly branch: string;
  /** What opened the run; of a re-run, the first one. */
  readonly trigger: StepTrigger;
  /** `YYYY-MM-DD` of the logical date, in UTC. */
  readonly date: string;
  /** `YYYYMMDD`. */
  readonly dateNoDash: string;
  /** The logical date in ISO 8601, UTC. */
  readonly timestamp: string;
  readonly dataIntervalStart: string;
  readonly dataIntervalEnd: string;
  /** What the attempt takes at most, what it starts included; null: no limit. */
  readonly memoryBytes: number | null;
  readonly parameters: { readonly [name: string]: ParameterValue };
}

export interface StepTrigger {
  readonly kind: 'push' | 'pull-request' | 'schedule' | 'manual' | 'backfill' | 'pipeline' | 'data';
  /** The run that this one follows, where it follows one. */
  readonly upstream: {
    readonly runId: string;
    readonly pipeline: string;
    readonly state: 'success' | 'failed' | 'cancelled';
  } | null;
  /** The news of data that it is for, oldest first; of very many the newest. */
  readonly events: readonly {
    readonly id: string;
    readonly dataset: string;
    readonly digest: string | null;
    /** ISO 8601, UTC. */
    readonly at: string;
    /** Whose step wrote the data; null: they were told of from outside. */
    readonly runId: string | null;
  }[];
}

/** What the function of a step, of a branch or of a short circuit is given. */
export interface StepContext extends FunctionContext {
  /** A directory of the instance: what a try that failed has left there, the next one finds. It goes with a success. */
  readonly checkpoint: string;
}

/** What every function is given, also those that score or look. */
export interface FunctionContext extends StepContextData {
  /** Aborted at the timeout and at a cancel; `grace` later the process is killed. */
  readonly signal: AbortSignalLike;
  /** A directory of this attempt alone, empty at the start and removed after it. */
  readonly scratch: string;
  /** Keeps a file (relative to `scratch`), or bytes, as an artifact: return it by itself or inside of the output. */
  artifact(content: string | Uint8Array, name?: string): Promise<Artifact>;
  /** A line in the log of the attempt. */
  log(message: string): void;
}

/** The part of the platform's AbortSignal that does not need the platform's types; a real one is given. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
