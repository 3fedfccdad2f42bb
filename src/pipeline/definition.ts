/**
 * What a file in `.pipelines/` becomes: plain, canonical data without functions. The words in the other files of this
 * folder write it, `compile` validates and digests it, the engine runs it. Edges only point backwards (a handle exists
 * before it is used), so the order of `steps` is a topological order.
 */
import type { Json } from '../std/json.ts';
import type { ParameterDefinition } from './parameter.ts';

export interface PipelineDefinition {
  /** `[a-z][a-z0-9-]*`, at most 63 characters, unique in the repository. */
  readonly name: string;
  /** Markdown. */
  readonly description: string | null;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly on: TriggerDefinition;
  readonly parameters: { readonly [name: string]: ParameterDefinition };
  readonly maxActiveRuns: number;
  readonly overlap: 'allow' | 'forbid' | 'replace';
  /** A new commit of a branch or pull request cancels the runs of the one before. */
  readonly cancelInProgress: boolean;
  readonly runTimeoutMs: number | null;
  /** For the finally-steps of a run that is cancelled or over its time limit. Absent: the default. */
  readonly finallyTimeoutMs?: number;
  /** Notifies and lets the run go on. */
  readonly deadlineMs: number | null;
  readonly freshness: { readonly model: string; readonly withinMs: number } | null;
  /** Absent: whoever the configuration names. */
  readonly notify?: NotifyDefinition;
  readonly steps: readonly StepDefinition[];
}

/** Names of channels, which the configuration of the server declares. Absent: those it names for all; of recovery, none. */
export interface NotifyDefinition {
  readonly deadline?: readonly string[];
  readonly failure?: readonly string[];
  readonly recovery?: readonly string[];
  readonly approval?: readonly string[];
}

export interface TriggerDefinition {
  readonly schedule: {
    readonly cron: string;
    readonly timeZone: string;
    readonly catchup: 'none' | 'latest' | 'all';
  } | null;
  /** Globs. No branches: the default branch, or with tags none; no tags: none; no paths: all. Paths do not narrow tags. */
  readonly push: {
    readonly branches: readonly string[];
    readonly tags: readonly string[];
    readonly paths: readonly string[];
  } | null;
  readonly pullRequest: { readonly branches: readonly string[]; readonly paths: readonly string[] } | null;
  /** Ends of runs of other pipelines of the repository. Absent: none. */
  readonly pipelines?: readonly EndTrigger[];
  /** What is told of datasets. Absent: nothing. */
  readonly data?: DataTrigger;
}

export const endStates = ['success', 'failed', 'cancelled'] as const;
export type EndState = (typeof endStates)[number];

/** A run of the pipeline `name` that ends in one of the states. Globs; no branches: the default branch. */
export interface EndTrigger {
  readonly name: string;
  readonly states: readonly EndState[];
  readonly branches: readonly string[];
}

/** `all`: each of the datasets has had an event since the last run; `any`: one of them has. */
export interface DataTrigger {
  readonly datasets: readonly string[];
  readonly when: 'all' | 'any';
}

export const triggerRules = [
  'all_success',
  'all_failed',
  'all_done',
  'one_success',
  'one_failed',
  'one_done',
  'none_failed',
  'none_failed_min_one_success',
  'none_skipped',
  'all_skipped',
  'all_done_min_one_success',
  'always',
] as const;

export type TriggerRule = (typeof triggerRules)[number];

export interface StepDefinition {
  /** `[a-z][a-z0-9_-]*`, with its groups in front: `prepare/clean`. Unique in the pipeline, at most 128 characters. */
  readonly name: string;
  readonly description: string | null;
  /** Names of the direct upstream steps, in the order of `PipelineDefinition.steps`, without repeats. */
  readonly upstream: readonly string[];
  readonly triggerRule: TriggerRule;
  /** Runs when everything else has ended, whatever became of it, unless the run was cancelled or is over its time limit. */
  readonly finally: boolean;
  readonly retry: RetryDefinition;
  readonly timeoutMs: number;
  /** How long after its warning (SIGTERM: at the timeout, or at a cancel) the step is killed. */
  readonly graceMs: number;
  /** Names of secrets that its environment gets. */
  readonly secrets: readonly string[];
  /** Null: it runs each time. Of functions and commands alone. */
  readonly cache: CacheDefinition | null;
  /** Instances of a mapped step: the cross product of its axes, in the order of the axes, the last the fastest. */
  readonly map: MapDefinition | null;
  /** What an attempt takes beside a slot of the executor; absent: nothing. */
  readonly pool?: PoolClaim;
  /** Which of those that wait for a slot gets it: the highest. Absent: 0. */
  readonly priority?: number;
  /** Which workers carry it out. Absent: those of the configuration's queue. */
  readonly queue?: string;
  /** From the wish for a pod or worker until it has begun. Absent: what the configuration says. */
  readonly startTimeoutMs?: number;
  /** What an attempt takes at most. Absent: no limit. */
  readonly memory?: MemoryDefinition;
  /** What it says of its pod, in the words of `PodOptions`; the pipeline's defaults are in it. Absent: nothing. */
  readonly pod?: Binding;
  /** Declared outputs of commands and containers; empty: whatever JSON the step gives. */
  readonly outputs: { readonly [key: string]: OutputType };
  /** Datasets that are as good as new when it has succeeded. Absent: none. Never of a mapped step. */
  readonly updates?: readonly DatasetUpdate[];
  readonly work: Work;
}

export interface DatasetUpdate {
  readonly dataset: string;
  /** Which output tells whether the data are others than before; an empty path is the whole of it. Null: they always are. */
  readonly output: readonly string[] | null;
}

export interface RetryDefinition {
  /** Tries after the first that failed by the user's code. */
  readonly count: number;
  readonly delayMs: number;
  /** The delay is multiplied by this after each try. */
  readonly factor: number;
  readonly delayMaxMs: number;
}

/** Where the same work was done before, its output is used again. */
export interface CacheDefinition {
  /** How long; null: for good. */
  readonly forMs: number | null;
  /** Globs of the files that count as its code; empty: all files of the commit. */
  readonly paths: readonly string[];
}

/** Of a container the same as its `resources.limits.memory`, where there is one. */
export interface MemoryDefinition {
  /** Of the first attempt. */
  readonly bytes: number;
  /** Each attempt that runs out of memory multiplies what the next one takes at most. Absent: it stays the same. */
  readonly growth?: MemoryGrowth;
}

export interface MemoryGrowth {
  readonly factor: number;
  readonly limitBytes: number;
}

/** Slots of a pool, which the configuration of the server declares. */
export interface PoolClaim {
  readonly name: string;
  readonly slots: number;
}

export interface MapDefinition {
  readonly axes: readonly { readonly name: string; readonly over: Binding }[];
  /** Instances that run at once; null: no limit of its own. */
  readonly concurrency: number | null;
  readonly lengthMax: number;
}

export type OutputType = 'string' | 'number' | 'boolean' | 'json' | 'artifact';

/** What can be known only when a run or step exists. */
export type Reference =
  | { readonly context: ContextName }
  | { readonly parameter: string }
  /** The output of an upstream step; an empty path is the whole of it. Of a mapped step: the list of its outputs. */
  | { readonly output: string; readonly path: readonly string[] }
  /** The element of an axis in an instance of a mapped step. */
  | { readonly item: string; readonly path: readonly string[] };

/** Airflow's words for the same things: ds, ds_nodash, ts, data_interval_start, data_interval_end, run_id, try_number. */
export const contextNames = [
  'date',
  'dateNoDash',
  'timestamp',
  'dataIntervalStart',
  'dataIntervalEnd',
  'runId',
  'pipeline',
  'sha',
  'branch',
  'step',
  'attempt',
] as const;

export type ContextName = (typeof contextNames)[number];

/** Text with references in it: a plain string where it has none. Numbers and booleans are written as JSON. */
export type Template = string | readonly (string | Reference)[];

/** A value with references in it. A reference keeps the type of what it stands for; a template gives a string. */
export type Binding =
  | { readonly literal: Json }
  | { readonly reference: Reference }
  | { readonly template: Template }
  | { readonly list: readonly Binding[] }
  | { readonly record: { readonly [key: string]: Binding } };

export type Work =
  /** A TypeScript function of the file, found by the step's name; never run by the server. */
  | { readonly kind: 'function'; readonly file: string; readonly input: Binding }
  | { readonly kind: 'command'; readonly command: readonly Template[]; readonly environment: Environment }
  | ContainerWork
  | GateWork
  | ChallengeWork
  /** A function that returns the name, or the names, of the direct downstream steps to follow. */
  | { readonly kind: 'branch'; readonly file: string; readonly input: Binding; readonly choices: readonly string[] }
  /** A function that returns whether to go on. */
  | {
      readonly kind: 'short-circuit';
      readonly file: string;
      readonly input: Binding;
      readonly ignoreDownstreamTriggerRules: boolean;
    }
  | WaitWork
  | ApprovalWork;

export type Environment = { readonly [name: string]: Template };

export interface ContainerWork {
  readonly kind: 'container';
  readonly image: Template;
  readonly command: readonly Template[];
  readonly args: readonly Template[];
  readonly environment: Environment;
  readonly resources: {
    readonly requests: { readonly [resource: string]: string };
    readonly limits: { readonly [resource: string]: string };
  };
  /** What the local executor runs in its place; null: it refuses the step with a clear error. */
  readonly localCommand: readonly Template[] | null;
}

/** Checks of a data file (CSV, JSON Lines, Parquet, by its ending). A failed gate stops the run and skips the rest. */
export interface GateWork {
  readonly kind: 'gate';
  /** A path in the source tree, or an artifact. */
  readonly data: Binding;
  readonly checks: readonly GateCheck[];
}

export type GateCheck =
  | { readonly check: 'rows'; readonly min: number | null; readonly max: number | null }
  /** Share of empty values, 0 to 1; `columns` null: each column of the file. */
  | { readonly check: 'nulls'; readonly columns: readonly string[] | null; readonly max: number }
  /** Share of the rows that carry the positive label, 0 to 1. */
  | {
      readonly check: 'label';
      readonly column: string;
      readonly positive: string;
      readonly min: number | null;
      readonly max: number | null;
    }
  | { readonly check: 'range'; readonly column: string; readonly min: number | null; readonly max: number | null }
  | { readonly check: 'unique'; readonly columns: readonly string[] }
  | { readonly check: 'columns'; readonly names: readonly string[] };

/**
 * Champion against challenger on the same rows. Where `score` is given, the runner scores both models on the same data
 * in this attempt; otherwise `predictions` holds both columns, or the champion's are joined by `id` from the
 * predictions kept with it.
 */
export interface ChallengeWork {
  readonly kind: 'challenge';
  readonly model: string;
  /** An artifact: what is registered and promoted. */
  readonly challenger: Binding;
  readonly score: ScoreDefinition | null;
  /** A CSV artifact or path with the columns `label` and `challenger`, and `champion` where there is one; or null. */
  readonly predictions: Binding | null;
  readonly task: 'binary' | 'regression';
  readonly metric: MetricName;
  /** The least value of `metric` that is accepted at all (the most, where lower is better); null: any. */
  readonly threshold: number | null;
  /** What the challenger must gain over the champion. */
  readonly minAbsoluteChange: number;
  readonly minRelativeChange: number;
  /** Of the interval of the difference: 0.95. */
  readonly confidence: number;
  /** Other metrics that must not get worse by more than `maxLoss`. */
  readonly guardrails: readonly { readonly metric: MetricName; readonly maxLoss: number }[];
  readonly promote: PromotionPolicy;
}

/** Scores one model on the evaluation rows. */
export type ScoreDefinition =
  /** Called with `{ model: path, ...input }`; gives `[{ label, score }]`, in the same order for each model. */
  | { readonly kind: 'function'; readonly file: string; readonly input: Binding }
  /** Gets CONTENDER_MODEL and CONTENDER_PREDICTIONS (a path to write CSV with the columns label and score). */
  | { readonly kind: 'command'; readonly command: readonly Template[]; readonly environment: Environment };

export type PromotionPolicy = 'automatic' | 'on-merge' | 'on-approval' | 'never';

export const binaryMetrics = [
  'roc_auc',
  'average_precision',
  'accuracy',
  'f1',
  'precision',
  'recall',
  'log_loss',
  'brier',
] as const;
export const regressionMetrics = ['mae', 'rmse', 'r2'] as const;
export type MetricName = (typeof binaryMetrics)[number] | (typeof regressionMetrics)[number];

/** Looks again every `intervalMs` and holds no slot in between. */
export interface WaitWork {
  readonly kind: 'wait';
  readonly for:
    | { readonly condition: 'file'; readonly path: Template }
    | { readonly condition: 'http'; readonly url: Template; readonly status: number }
    /** `s3://bucket/key`; with `/` at its end any object below it, with `*` in it any that it matches. */
    | {
        readonly condition: 'object';
        readonly url: Template;
        /** Which of the object stores of the configuration; null: the only one. */
        readonly store: string | null;
      }
    /**
     * The newest run of another pipeline for the same date, shifted by `shiftMs`, is in one of `states`. A date without a
     * time is any moment of that day (UTC), one with a time is the logical date itself.
     */
    | {
        readonly condition: 'pipeline';
        readonly pipeline: string;
        readonly date: Template;
        readonly shiftMs: number;
        readonly states: readonly AwaitedRunState[];
        /** In which it will not come to those. Absent: none. */
        readonly failStates?: readonly EndState[];
      }
    /** So is a step of that run; of a mapped one, what its instances add up to. */
    | {
        readonly condition: 'step';
        readonly pipeline: string;
        readonly step: string;
        readonly date: Template;
        readonly shiftMs: number;
        readonly states: readonly AwaitedStepState[];
        readonly failStates?: readonly (AwaitedStepState | 'cancelled')[];
      }
    | { readonly condition: 'function'; readonly file: string; readonly input: Binding };
  readonly intervalMs: number;
  /** From the first look; then the step fails, or is skipped where `softFail`. */
  readonly timeoutMs: number;
  readonly softFail: boolean;
}

export const awaitedRunStates = ['success', 'failed'] as const;
export type AwaitedRunState = (typeof awaitedRunStates)[number];
export const awaitedStepStates = ['success', 'failed', 'skipped', 'upstream_failed'] as const;
export type AwaitedStepState = (typeof awaitedStepStates)[number];

/** A person decides; no process runs, and no slot is held. */
export interface ApprovalWork {
  readonly kind: 'approval';
  /** Null: the name of the step says it all. */
  readonly message: Template | null;
  /** From when it begins to wait; then the step fails, or is skipped where `softFail`. */
  readonly timeoutMs: number;
  readonly onReject: 'fail' | 'skip';
  readonly softFail: boolean;
}

/** Bytes by content: what an `artifact` output is in JSON, wherever it travels. */
export interface Artifact {
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly $artifact: string;
  /** The file's name, without a folder. */
  readonly name: string;
  readonly bytes: number;
}
