/**
 * What happened, in order: the truth of the system. Every change is a `Commit`, a list of writes that is kept whole or
 * not at all; several commits given together share one transaction of the database (group commit), and each has its own
 * result. Whatever must be carried out elsewhere (a status, a comment, a promotion) is an outbox row of the same commit.
 */
import type { CacheParts, FinalRunState, RunEvent, RunOpened, RunState, StepOutput } from '../engine/event.ts';
import type { RunRequest } from '../engine/request.ts';
import type { Artifact, PipelineDefinition, PromotionPolicy } from '../pipeline/definition.ts';
import type { Json, JsonObject } from '../std/json.ts';
import type { Problem } from '../std/problem.ts';

export interface Journal {
  /**
   * Results stand in the order of the commits. Rejects only when the database cannot be reached or is broken; and, under
   * an `epoch` of the lease that is another's by now, with `LeaseLost`: then nothing was kept.
   */
  commit(commits: readonly Commit[], epoch?: number): Promise<readonly CommitResult[]>;

  /** Who conducts, or did last; null: nobody ever has. */
  lease(): Promise<LeaseRow | null>;
  /** The new epoch, or null where the lease has not expired. Where it rejects, it may have been taken all the same. */
  takeLease(place: LeasePlace, lastsMs: number): Promise<number | null>;
  /** False: it has been taken since, and is lost. `said`: what others can read of its holder. */
  renewLease(epoch: number, lastsMs: number, said: JsonObject): Promise<boolean>;
  /** Free for the next one at once; harmless where it is another's. */
  releaseLease(epoch: number): Promise<void>;
  /** Nobody else can hold the lease, because the store is held by this process: it is taken whatever its row says, and kept. */
  readonly alone: boolean;
  /** What others may have kept for whoever conducts, in one look. */
  news(): Promise<News>;
  /** Tells the other servers that something was kept. Only a hint: it may be lost or late. */
  hint(word: string): void;
  /** Hears the hints of others; gives the function that ends it. */
  listen(heard: (word: string) => void): () => void;

  events(runId: string): Promise<readonly RunEvent[]>;
  run(runId: string): Promise<RunRow | null>;
  runByTrigger(triggerKey: string): Promise<RunRow | null>;
  /** Runs that have not ended, oldest first. */
  unfinishedRuns(): Promise<readonly RunRow[]>;
  /** Newest first, by key: `before` is the id of the last row of the page before. At most 200. */
  runs(filter: RunFilter): Promise<readonly RunRow[]>;
  /** Runs that have not ended, of one pipeline. */
  activeRuns(repository: string, pipeline: string): Promise<readonly RunRow[]>;
  /** Runs of a pipeline whose logical dates lie in the range, both ends included; those of a date in the order of their ids. */
  runsOfDates(
    repository: string,
    pipeline: string,
    range: { readonly from: number; readonly to: number },
  ): Promise<readonly RunRow[]>;
  /** What was asked of runs and has not been taken in, oldest first. */
  openRequests(limit: number): Promise<readonly RequestRow[]>;
  /** Taken in or not. */
  request(id: string): Promise<RequestRow | null>;
  /** Orders without an answer, oldest first. */
  openOrders(limit: number): Promise<readonly OrderRow[]>;
  order(id: string): Promise<OrderRow | null>;

  definition(digest: string): Promise<PipelineDefinition | null>;
  /** What a commit's files compiled to; null where it was not compiled yet. */
  versions(repository: string, sha: string): Promise<readonly VersionRow[] | null>;
  /** The commit that a branch stood at when it was last looked at. */
  head(repository: string, branch: string): Promise<string | null>;
  heads(repository: string): Promise<ReadonlyMap<string, string>>;

  pendingDeliveries(limit: number): Promise<readonly DeliveryRow[]>;
  trigger(key: string): Promise<TriggerRow | null>;
  lastTick(repository: string, pipeline: string): Promise<number | null>;
  /** Newest first. */
  ticks(repository: string, pipeline: string, limit: number): Promise<readonly TickRow[]>;

  backfill(id: string): Promise<BackfillProgress | null>;
  /** Backfills that have not ended, oldest first. */
  openBackfills(): Promise<readonly BackfillProgress[]>;
  /** Newest first, at most 200. */
  backfills(limit: number): Promise<readonly BackfillProgress[]>;
  /** In the order in which they are run. */
  backfillIntervals(id: string): Promise<readonly BackfillInterval[]>;

  /** Runs that have ended, and of which nobody has looked who follows, oldest first. */
  openRunEnds(limit: number): Promise<readonly RunRow[]>;

  dataEvent(id: string): Promise<DataEventRow | null>;
  /** Those that nobody has decided on, oldest first. */
  openDataEvents(limit: number): Promise<readonly DataEventRow[]>;
  /** Newest first, at most 200; of one dataset, or (null) of all. */
  dataEvents(dataset: string | null, limit: number): Promise<readonly DataEventRow[]>;
  /** The news with these numbers, newest first. */
  newsOf(
    dataset: string,
    range: { readonly after: number; readonly upTo: number },
    limit: number,
  ): Promise<readonly DataEventRow[]>;
  dataListeners(repository: string): Promise<readonly DataListener[]>;
  /** Of all repositories, of one moment. */
  listenersWithNews(): Promise<readonly DataListener[]>;

  /** Rows that are due, oldest first. */
  dueOutbox(now: number, limit: number): Promise<readonly OutboxRow[]>;
  nextOutboxAt(): Promise<number | null>;
  /** Rows that failed at least once and are not done. */
  troubledOutbox(limit: number): Promise<readonly OutboxRow[]>;
  /** Rows that name this run, at most 200, in the order of time, done or not. */
  outboxOf(runId: string): Promise<readonly OutboxRow[]>;

  evaluations(filter: {
    readonly runId?: string;
    readonly sha?: string;
    readonly model?: string;
    readonly pullRequest?: number;
    readonly repository?: string;
    readonly state?: EvaluationState;
    readonly limit: number;
  }): Promise<readonly EvaluationRow[]>;
  /** What a step gave when it was last given the same, in the scope or in none. */
  cacheEntry(cached: CachedStep, key: string): Promise<CacheEntryRow | null>;
  /** The newest of an instance in exactly that scope, whatever it was given. */
  newestCacheEntry(cached: CachedStep, index: number): Promise<CacheEntryRow | null>;
  /** The verdicts of these runs, at most 200, that let nothing be promoted: what a list says beside their states. */
  unpromotable(runIds: readonly string[]): Promise<readonly { readonly runId: string; readonly verdict: Json }[]>;
  /** What a forge calls the thing that we made: the id of a comment or check run. */
  forgeObject(key: string): Promise<string | null>;

  session(digest: string): Promise<SessionRow | null>;

  close(): Promise<void>;
}

export type Commit = readonly Write[];

export type CommitResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly conflict: Conflict; readonly write: number };

export interface RunStanding {
  readonly state: RunState;
  readonly reason: string | null;
  readonly finishedAt: number | null;
}

/** Which promise the write at that place would have broken. */
export type Conflict =
  | 'position'
  | 'duplicate-trigger'
  | 'duplicate-delivery'
  | 'duplicate-tick'
  | 'duplicate-request'
  | 'duplicate-backfill'
  | 'duplicate-event'
  | 'run-ended'
  | 'changed';

export type Write =
  /** A webhook as it came. `semanticKey` names what it means, so that the same event under another id is a duplicate. */
  | {
      readonly write: 'delivery';
      readonly id: string;
      readonly repository: string;
      readonly event: string;
      readonly semanticKey: string | null;
      readonly body: JsonObject;
      readonly at: number;
    }
  | {
      readonly write: 'delivery-done';
      readonly id: string;
      readonly state: 'done' | 'ignored' | 'failed';
      readonly note: string;
      readonly at: number;
    }
  /** Immutable: the second time changes nothing. `versions` empty: the commit has no pipelines. */
  | {
      readonly write: 'versions';
      readonly repository: string;
      readonly sha: string;
      readonly at: number;
      readonly versions: readonly VersionRow[];
      readonly definitions: ReadonlyMap<string, PipelineDefinition>;
    }
  | {
      readonly write: 'head';
      readonly repository: string;
      readonly branch: string;
      readonly sha: string | null;
      readonly at: number;
    }
  /** A trigger that led to no run, and why; conflicts as `duplicate-trigger` where the key is known already. */
  | {
      readonly write: 'trigger-skipped';
      readonly key: string;
      readonly at: number;
      readonly reason: string;
      readonly coveredBy: string | null;
    }
  /** The run, its number (next of its pipeline) and its first events, under the trigger's key. Its definition must be kept already, or by an earlier write of the commit. */
  | {
      readonly write: 'open-run';
      readonly triggerKey: string;
      readonly opened: RunOpened;
      /** What it has from an earlier run. */
      readonly reused: readonly RunEvent[];
    }
  /** `position` is the one that the first of the events gets; conflicts as `position` where the journal is further or less far. */
  | {
      readonly write: 'append';
      readonly runId: string;
      readonly position: number;
      readonly events: readonly RunEvent[];
      /** What the events make of the run; null: it is in the state that it was in. */
      readonly becomes: RunStanding | null;
    }
  /**
   * Something is asked of a run. Where it has ended, or is none: `run-ended`; under a known id: `duplicate-request`. With
   * `whereEnded: 'nothing'` both are no conflict and change nothing.
   */
  | {
      readonly write: 'request';
      readonly id: string;
      readonly runId: string;
      readonly request: RunRequest;
      readonly at: number;
      readonly whereEnded: 'conflict' | 'nothing';
    }
  /** Taken in, with the events beside it; the second time changes nothing. An append that ends a run does it to all of its requests. */
  | { readonly write: 'request-done'; readonly id: string; readonly at: number }
  /** Something is to be opened; a second time changes nothing. */
  | { readonly write: 'order'; readonly id: string; readonly body: JsonObject; readonly at: number }
  /** Only where it has no answer (`changed` otherwise). */
  | { readonly write: 'order-answered'; readonly id: string; readonly answer: JsonObject; readonly at: number }
  | {
      readonly write: 'tick';
      readonly repository: string;
      readonly pipeline: string;
      readonly tick: number;
      readonly at: number;
      readonly decision: 'run' | 'missed';
      readonly reason: string | null;
      readonly runId: string | null;
    }
  /** With its intervals, in order. `skipped`: why an interval gets no run; null: it waits for one. */
  | {
      readonly write: 'backfill';
      readonly backfill: BackfillRow;
      readonly intervals: readonly {
        readonly logicalDate: number;
        readonly intervalEnd: number;
        readonly skipped: string | null;
      }[];
    }
  /** Only where the interval still waits (`changed` otherwise). */
  | {
      readonly write: 'backfill-interval';
      readonly id: string;
      readonly position: number;
      readonly decision: 'run' | 'skipped';
      readonly reason: string | null;
      readonly runId: string | null;
      readonly at: number;
    }
  /** A compare-and-set (`changed` otherwise). To `cancelling`: intervals that wait are skipped for the reason. */
  | {
      readonly write: 'backfill-state';
      readonly id: string;
      readonly from: BackfillState;
      readonly to: Exclude<BackfillState, 'running'>;
      /** Null: as it was. */
      readonly reason: string | null;
      readonly at: number;
    }
  /** In the commit that ends the run; the second time changes nothing. */
  | { readonly write: 'run-end'; readonly runId: string; readonly at: number }
  /** Whoever follows has a run, or a record of why not; the second time changes nothing. */
  | { readonly write: 'run-end-done'; readonly runId: string; readonly at: number }
  /** That data have changed, as somebody says; under a known id: `duplicate-event`. */
  | { readonly write: 'data-event'; readonly event: ToldEvent }
  /** Whether it counts, once (`changed` otherwise). `refused`: why it does not; else the same digest again is no news. */
  | {
      readonly write: 'data-event-decided';
      readonly id: string;
      readonly dataset: string;
      readonly digest: string | null;
      readonly evenIfSame: boolean;
      readonly refused: string | null;
    }
  /** From now on the pipeline listens to these datasets too, and no more to those; the second time changes nothing. */
  | {
      readonly write: 'data-listening';
      readonly repository: string;
      readonly pipeline: string;
      readonly add: readonly string[];
      readonly remove: readonly string[];
      readonly at: number;
    }
  /** The news between the numbers are those of a run, or of a record of why there is none (`changed` otherwise). */
  | {
      readonly write: 'data-taken';
      readonly repository: string;
      readonly pipeline: string;
      readonly taken: readonly Pick<DataListener, 'dataset' | 'seen' | 'position'>[];
    }
  /** One row a key: the same key again replaces the body, raises the sequence and makes it due. */
  | {
      readonly write: 'outbox';
      readonly key: string;
      readonly kind: string;
      readonly body: JsonObject;
      readonly at: number;
      readonly dueAt: number;
      /** The run that it tells of, where its page is to show what became of it. */
      readonly runId?: string;
    }
  /** Only where the sequence is still the same (`changed` otherwise). */
  | { readonly write: 'outbox-done'; readonly key: string; readonly sequence: number; readonly at: number }
  | {
      readonly write: 'outbox-failed';
      readonly key: string;
      readonly sequence: number;
      readonly at: number;
      readonly error: string;
      readonly dueAt: number | null;
    }
  /** Unique by id; the second time changes nothing. */
  | { readonly write: 'evaluation'; readonly evaluation: EvaluationRow }
  /** A compare-and-set (`changed` otherwise). */
  | {
      readonly write: 'evaluation-state';
      readonly id: string;
      readonly from: EvaluationState;
      readonly to: EvaluationState;
      readonly reason: string | null;
      readonly version: number | null;
      readonly at: number;
    }
  /** Somebody has logged in. */
  | { readonly write: 'session'; readonly digest: string; readonly endsAt: number; readonly at: number }
  | { readonly write: 'session-used'; readonly digest: string; readonly at: number }
  | { readonly write: 'session-ended'; readonly digest: string }
  | { readonly write: 'forge-object'; readonly key: string; readonly id: string; readonly at: number }
  /** One a key and scope: the last one stands. */
  | {
      readonly write: 'cache-entry';
      readonly cached: CachedStep;
      readonly index: number;
      readonly key: string;
      readonly runId: string;
      readonly at: number;
      readonly parts: CacheParts;
      readonly output: StepOutput;
    }
  /** Of a step, whatever the scope, the newest entries stay; of those of one moment, all or none. */
  | { readonly write: 'cache-trim'; readonly cached: CachedStep; readonly entriesMax: number };

/** Whose cache it is: never that of another repository. */
export interface CachedStep {
  readonly repository: string;
  readonly pipeline: string;
  readonly step: string;
  /** Empty, or what alone may use the entries: `#12`. */
  readonly scope: string;
}

export interface CacheEntryRow {
  readonly key: string;
  /** Whose attempt gave it, and when. */
  readonly runId: string;
  readonly at: number;
  readonly parts: CacheParts;
  readonly output: StepOutput;
}

export interface RunRow {
  readonly id: string;
  /** Of its pipeline, from 1. */
  readonly number: number;
  readonly opened: RunOpened;
  readonly triggerKey: string;
  readonly state: RunState;
  readonly reason: string | null;
  readonly finishedAt: number | null;
  /** Null: it has kept its deadline so far, or has none. */
  readonly deadlineMissedAt: number | null;
}

export interface RunFilter {
  readonly repository?: string;
  readonly pipeline?: string;
  readonly state?: RunState | FinalRunState;
  readonly branch?: string;
  readonly sha?: string;
  readonly pullRequest?: number;
  /** Re-runs of this run. */
  readonly rerunOf?: string;
  readonly before?: string;
  readonly limit: number;
}

/** What was asked of a run. */
export interface RequestRow {
  readonly id: string;
  readonly runId: string;
  readonly request: RunRequest;
  readonly at: number;
}

/** What somebody asks to be opened. */
export interface OrderRow {
  readonly id: string;
  readonly body: JsonObject;
  readonly at: number;
  /** Null: it waits for one. */
  readonly answer: JsonObject | null;
}

export interface SessionRow {
  readonly endsAt: number;
  /** When it was last noted that it is in use. */
  readonly usedAt: number;
}

/** Where a server is to be found, for people. */
export interface LeasePlace {
  readonly pid: number;
  readonly host: string;
  readonly url: string | null;
}

export interface LeaseRow {
  /** Rises with each taking. */
  readonly epoch: number;
  readonly place: LeasePlace;
  /** What the holder said of itself when it last renewed it. */
  readonly said: JsonObject;
  /** By the database's clock. */
  readonly takenAt: number;
  /** From 0 down: it is free. */
  readonly expiresInMs: number;
}

/** Whether there is anything of the kind that is open. */
export interface News {
  readonly deliveries: boolean;
  readonly requests: boolean;
  readonly orders: boolean;
  readonly backfills: boolean;
}

/** Another server conducts by now: what was to be kept under the epoch was not. */
export class LeaseLost extends Error {
  constructor() {
    super('another server conducts by now');
    this.name = 'LeaseLost';
  }
}

export interface VersionRow {
  readonly file: string;
  /** Null where the file is broken. */
  readonly pipeline: string | null;
  readonly digest: string | null;
  readonly problems: readonly Problem[];
}

export interface DeliveryRow {
  readonly id: string;
  readonly repository: string;
  readonly event: string;
  readonly body: JsonObject;
  readonly at: number;
}

export interface TriggerRow {
  readonly key: string;
  readonly at: number;
  readonly runId: string | null;
  readonly reason: string | null;
}

export interface TickRow {
  readonly tick: number;
  readonly at: number;
  readonly decision: 'run' | 'missed';
  readonly reason: string | null;
  readonly runId: string | null;
}

/**
 * `running`: its intervals get their runs, one after the other. `cancelling`: no more of them do, and those that go on are
 * told to end. The others are final.
 */
export const backfillStates = ['running', 'cancelling', 'cancelled', 'done'] as const;
export type BackfillState = (typeof backfillStates)[number];

/** Which intervals that were run before are run again: none, those that ended badly, or all that have ended. */
export const reprocessChoices = ['none', 'failed', 'completed'] as const;
export type Reprocess = (typeof reprocessChoices)[number];

export interface BackfillOptions {
  readonly actor: string;
  /** Logical dates, both included; milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly newestFirst: boolean;
  /** So many of its runs at once. */
  readonly maxActive: number;
  readonly reprocess: Reprocess;
}

/** What a backfill is made of: one version of a pipeline, whatever the branch becomes meanwhile. */
export interface BackfillRow {
  readonly id: string;
  readonly repository: string;
  readonly pipeline: string;
  readonly sha: string;
  readonly digest: string;
  readonly options: BackfillOptions;
  readonly at: number;
}

export interface BackfillProgress extends BackfillRow {
  readonly state: BackfillState;
  readonly reason: string | null;
  readonly finishedAt: number | null;
  /** Numbers of intervals: those that wait, those skipped, and the others by what became of their runs. */
  readonly waiting: number;
  readonly skipped: number;
  readonly active: number;
  readonly succeeded: number;
  /** Cancelled ones too. */
  readonly failed: number;
  /** The first that waits. */
  readonly next: Pick<BackfillInterval, 'position' | 'logicalDate' | 'intervalEnd'> | null;
}

export interface BackfillInterval {
  /** From 0. */
  readonly position: number;
  readonly logicalDate: number;
  readonly intervalEnd: number;
  readonly decision: 'waiting' | 'run' | 'skipped';
  /** Why it was skipped. */
  readonly reason: string | null;
  readonly runId: string | null;
  readonly runState: RunState | null;
}

/** `open`: nobody has decided whether it counts. `same`: it would, with another digest than the news before. */
export const dataEventStates = ['open', 'news', 'same', 'refused'] as const;

/** What is told of a dataset: by a step of a run, or from outside. */
export interface ToldEvent {
  readonly id: string;
  readonly dataset: string;
  readonly digest: string | null;
  /** Null, both, where it was told from outside. */
  readonly runId: string | null;
  readonly step: string | null;
  readonly toldBy: string | null;
  /** Of the run that tells it (`depthOf`). */
  readonly depth: number;
  /** When the data came to be there. */
  readonly at: number;
  readonly toldAt: number;
}

export interface DataEventRow extends ToldEvent {
  readonly state: (typeof dataEventStates)[number];
  /** Why it was refused. */
  readonly reason: string | null;
}

/** A pipeline of the newest commit of a repository, and a dataset that it listens to. */
export interface DataListener {
  readonly repository: string;
  readonly pipeline: string;
  readonly dataset: string;
  /** The number of the last news that it has taken, and of the last that there are. */
  readonly seen: number;
  readonly position: number;
}

export interface OutboxRow {
  readonly key: string;
  readonly kind: string;
  readonly body: JsonObject;
  readonly sequence: number;
  readonly attempts: number;
  /** Null: given up. */
  readonly dueAt: number | null;
  readonly error: string | null;
}

/** `reported`: nothing decided. `promoting`: decided, to be carried out. The others are final. */
export type EvaluationState = 'reported' | 'promoting' | 'promoted' | 'refused';

/** One challenge of one run, and what became of it. */
export interface EvaluationRow {
  /** `<runId>/<step>`: also the key of the decision. */
  readonly id: string;
  readonly runId: string;
  readonly step: string;
  readonly repository: string;
  readonly pipeline: string;
  readonly model: string;
  readonly sha: string;
  readonly pullRequest: number | null;
  readonly branch: string;
  readonly policy: PromotionPolicy;
  /** As the runner gave it (`Verdict`). */
  readonly verdict: Json;
  readonly promotable: boolean;
  readonly artifact: Artifact;
  readonly predictions: Artifact | null;
  readonly championVersion: number | null;
  readonly state: EvaluationState;
  readonly reason: string | null;
  readonly version: number | null;
  readonly at: number;
}

export const journalLimits = { pageMax: 200, statementTimeoutMs: 10_000 } as const;
