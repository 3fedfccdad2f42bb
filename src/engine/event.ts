/**
 * Everything that can happen to a run, as facts in the past tense. The journal keeps them in order; the state of a run
 * is what `evolve` makes of them. Times (`at`, `dueAt`) are milliseconds since the epoch and always come from outside.
 *
 * An attempt is one try of one instance: its number rises with each try and is its fencing token (epoch), so a report
 * that carries another number than the current one is late, is recorded and changes nothing. A step without `map` has
 * one instance, of index 0.
 */
import type { Artifact } from '../pipeline/definition.ts';
import type { ParameterValue } from '../pipeline/parameter.ts';
import type { Json } from '../std/json.ts';

export type RunEvent =
  | RunOpened
  /** The length of a mapped step is known; its instances exist from now on. */
  | { readonly type: 'step-mapped'; readonly at: number; readonly step: string; readonly length: number }
  /** Ready, and waiting for a slot. */
  | { readonly type: 'step-scheduled'; readonly at: number; readonly step: string; readonly index: number }
  /** Handed to the executor: from here on an attempt may exist outside. Always committed before it is placed. */
  | ({ readonly type: 'attempt-started'; readonly at: number } & AttemptKey)
  /** The executor saw it run. `place` says where: a process, a pod and its node. */
  | ({ readonly type: 'attempt-running'; readonly at: number; readonly place: string } & AttemptKey)
  /** The step has a cache, and it was looked whether the same work was done before. */
  | ({ readonly type: 'cache-looked-up'; readonly at: number; readonly look: CacheLook } & AttemptKey)
  | ({
      readonly type: 'attempt-finished';
      readonly at: number;
      readonly outcome: AttemptOutcome;
      readonly usage: Usage | null;
    } & AttemptKey)
  /** A report of an attempt that no longer counts. */
  | ({ readonly type: 'late-report-ignored'; readonly at: number; readonly outcome: AttemptOutcome } & AttemptKey)
  /** Another try at `dueAt`; of what waits: it is looked for again from then on. */
  | {
      readonly type: 'retry-planned';
      readonly at: number;
      readonly step: string;
      readonly index: number;
      readonly dueAt: number;
    }
  /** From now until `dueAt` it is looked whether what the step waits for is there. A look that does not see it is no event. */
  | {
      readonly type: 'wait-begun';
      readonly at: number;
      readonly step: string;
      readonly index: number;
      readonly dueAt: number;
    }
  /** The function that looks failed, which ends the looks for now. It is no attempt, and uses the same retries. */
  | ({ readonly type: 'look-failed'; readonly at: number; readonly step: string; readonly index: number } & LookFailure)
  /** It is there. */
  | {
      readonly type: 'wait-seen';
      readonly at: number;
      readonly step: string;
      readonly index: number;
      readonly output: StepOutput;
    }
  /** A person is to decide until `dueAt`; `message` tells what about. An approval has one instance. */
  | {
      readonly type: 'approval-requested';
      readonly at: number;
      readonly step: string;
      readonly message: string | null;
      readonly dueAt: number;
    }
  | {
      readonly type: 'approval-decided';
      readonly at: number;
      readonly step: string;
      readonly decision: 'approve' | 'reject';
      readonly by: string;
      readonly reason: string | null;
    }
  /** Final for this instance. `index` null: the step as a whole, before it had instances (skip, upstream failed). */
  | {
      readonly type: 'step-finished';
      readonly at: number;
      readonly step: string;
      readonly index: number | null;
      readonly state: FinalStepState;
      readonly reason: string | null;
    }
  /**
   * Final from the first moment: what it came to in an earlier run stands here too. `runId` is the run whose attempts
   * gave it. `index` null: the step as a whole, which had no instances. Kept together with the opening.
   */
  | {
      readonly type: 'step-reused';
      readonly at: number;
      readonly step: string;
      readonly index: number | null;
      readonly runId: string;
      readonly state: FinalStepState;
      readonly reason: string | null;
      readonly output: StepOutput | null;
      readonly control: Control | null;
    }
  | { readonly type: 'cancel-requested'; readonly at: number; readonly by: string; readonly reason: string }
  /** The run's own time limit is over; what follows is a cancel whose final state is failed. */
  | { readonly type: 'run-timed-out'; readonly at: number }
  /** Of a run that is being stopped: its finally-steps are to end too. */
  | { readonly type: 'finally-cancel-requested'; readonly at: number; readonly by: string; readonly reason: string }
  /** The time that the finally-steps of a run that is being stopped have is over. */
  | { readonly type: 'finally-timed-out'; readonly at: number }
  | { readonly type: 'deadline-missed'; readonly at: number }
  | {
      readonly type: 'run-finished';
      readonly at: number;
      readonly state: FinalRunState;
      readonly reason: string | null;
    };

export interface RunOpened {
  readonly type: 'run-opened';
  readonly at: number;
  readonly runId: string;
  /** Name of the repository in the configuration. */
  readonly repository: string;
  readonly pipeline: string;
  readonly sha: string;
  /** Of the canonical definition. */
  readonly digest: string;
  readonly trigger: Trigger;
  /** Start of the interval that the run is for; the moment of the trigger where there is no schedule. */
  readonly logicalDate: number;
  readonly dataIntervalEnd: number;
  readonly parameters: { readonly [name: string]: ParameterValue };
}

export type Trigger =
  | FirstTrigger
  /** Run `of` once more, because `actor` asked for it. */
  | {
      readonly kind: 'rerun';
      readonly of: string;
      readonly steps: RerunSteps;
      readonly actor: string;
      /** Of the first run of the chain: what it was for, the new one is for. */
      readonly first: FirstTrigger;
    };

export type FirstTrigger =
  /** `branch` of a tag: `refs/tags/v1`. */
  | { readonly kind: 'push'; readonly branch: string; readonly actor: string }
  | {
      readonly kind: 'pull-request';
      readonly number: number;
      readonly branch: string;
      readonly baseBranch: string;
      readonly baseSha: string;
      readonly actor: string;
      readonly fork: boolean;
    }
  | { readonly kind: 'schedule'; readonly tick: number }
  | { readonly kind: 'manual'; readonly actor: string }
  /** `backfill`: its id. */
  | { readonly kind: 'backfill'; readonly backfill: string; readonly actor: string }
  /** Run `upstream` of `pipeline` ended so; `branch` is what that one was for. */
  | {
      readonly kind: 'pipeline';
      readonly pipeline: string;
      readonly upstream: string;
      readonly state: FinalRunState;
      readonly branch: string;
      /** How many runs, one opened by the end or the data of the other, stand before this one. */
      readonly depth: number;
    }
  /** News of its datasets since its last run, oldest first: the newest of them, and how many there were. */
  | {
      readonly kind: 'data';
      readonly events: readonly DataEvent[];
      readonly count: number;
      readonly depth: number;
    };

/** That there are other data under a name. */
export interface DataEvent {
  readonly id: string;
  readonly dataset: string;
  /** Of the data; null where nobody told. */
  readonly digest: string | null;
  /** When they came to be there. */
  readonly at: number;
  /** Whose step wrote them; null: they were told of from outside. */
  readonly runId: string | null;
}

/** Which steps a re-run carries out, with all that comes after them; the others are reused. */
export type RerunSteps =
  | 'all'
  /** Those that failed or never ran. */
  | 'failed'
  | { readonly from: string };

/** What a run is for, however often it was run again. */
export function firstTriggerOf(trigger: Trigger): FirstTrigger {
  return trigger.kind === 'rerun' ? trigger.first : trigger;
}

/** How many runs, one opened by the end or the data of the other, stand before one with this trigger. */
export function depthOf(trigger: Trigger): number {
  const first = firstTriggerOf(trigger);
  return first.kind === 'pipeline' || first.kind === 'data' ? first.depth : 0;
}

export interface AttemptKey {
  readonly step: string;
  readonly index: number;
  /** From 1. */
  readonly attempt: number;
}

export const stepEnds = ['success', 'failed', 'skipped', 'upstream_failed', 'removed', 'cancelled'] as const;
export type FinalStepState = (typeof stepEnds)[number];
export const stepStates = ['none', 'scheduled', 'queued', 'running', 'up_for_retry', 'deferred', ...stepEnds] as const;
export type StepState = (typeof stepStates)[number];
export const finalRunStates = ['success', 'failed', 'cancelled'] as const;
export type FinalRunState = (typeof finalRunStates)[number];
export type RunState = FinalRunState | 'running' | 'cancelling';

export type AttemptOutcome =
  | {
      readonly kind: 'succeeded';
      readonly output: StepOutput;
      /** Null for all but branches, short circuits and gates. */
      readonly control: Control | null;
    }
  | {
      readonly kind: 'failed';
      readonly cause: FailureCause;
      readonly message: string;
      readonly exitCode: number | null;
    }
  /** The step itself said that there is nothing to do. */
  | { readonly kind: 'skipped'; readonly reason: string };

/** What a look came to. */
export type LookOutcome =
  | { readonly kind: 'seen'; readonly output: StepOutput }
  | { readonly kind: 'not-yet'; readonly reason: string }
  /** Another look would fail the same way. */
  | { readonly kind: 'impossible'; readonly reason: string }
  /** Of a run or step that ended as it is not waited for. */
  | { readonly kind: 'ended-otherwise'; readonly reason: string }
  /** Of a function: it did not say whether it is there. */
  | ({ readonly kind: 'failed' } & LookFailure);

export interface LookFailure {
  readonly cause: FailureCause;
  readonly message: string;
}

/** What a cached step is given, part by part (`code`, `input rows`), as digests. */
export type CacheParts = { readonly [part: string]: string };

export type CacheLook =
  /** The output of the attempt that `runId` made with the same parts. */
  | { readonly found: true; readonly runId: string }
  /**
   * `why`: what is different from the time before, as words; `key` null: what it is given could not be told. `scope`: for
   * whom its output will be kept, empty for all.
   */
  | {
      readonly found: false;
      readonly why: string;
      readonly key: string | null;
      readonly scope: string;
      readonly parts: CacheParts;
    };

/** What a branch chose, or whether a short circuit or gate lets the run go on. */
export type Control = { readonly follow: readonly string[] } | { readonly pass: boolean; readonly reason: string };

/**
 * Why an attempt failed, which decides whether another follows: `code` and `timeout` use the step's own retries,
 * `lost`, `evicted`, `start` and `registry` have a budget of their own (three), `shutdown` (the server that ran it was
 * stopped in order) uses neither, `invalid` and `non-retryable` (its own code says so) are never retried.
 */
export const failureCauses = [
  'code',
  'timeout',
  'out-of-memory',
  'output',
  'lost',
  'evicted',
  'start',
  'registry',
  'shutdown',
  'invalid',
  'non-retryable',
  'cancelled',
] as const;
export type FailureCause = (typeof failureCauses)[number];

/** Up to 48 KB stand inline; more is an artifact, with the lengths of its lists and records kept at hand. */
export type StepOutput =
  | { readonly inline: Json }
  /** `lengths`: by path joined with `.` ('' is the whole), for what can be mapped over, down to two levels. */
  | {
      readonly stored: Artifact;
      readonly lengths: { readonly [path: string]: number };
      /** Of the parts that the step's updates name; null: it is null. */
      readonly digests?: { readonly [key: string]: string | null };
    };

export interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number | null;
  readonly memoryBytesMax: number | null;
}

export const engineLimits = {
  infrastructureRetriesMax: 3,
  /** So that a step that stops its own server comes to an end. */
  shutdownRetriesMax: 100,
  outputInlineBytesMax: 48 * 1024,
  approvalMessageLengthMax: 1000,
  /** Of one look of a function, where its wait is not shorter. */
  lookMsMax: 5 * 60_000,
} as const;
