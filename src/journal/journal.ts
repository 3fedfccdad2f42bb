/**
 * What happened, in order: the truth of the system. Every change is a `Commit`, a list of writes that is kept whole or
 * not at all; several commits given together share one transaction of the database (group commit), and each has its own
 * result. Whatever must be carried out elsewhere (a status, a comment, a promotion) is an outbox row of the same commit.
 */
import type { RunEvent } from '../engine/event.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Json, JsonObject } from '../std/json.ts';
import type {
  BackfillInterval,
  BackfillProgress,
  CacheEntryRow,
  CachedStep,
  DataEventRow,
  DataListener,
  DeliveryRow,
  EvaluationRow,
  EvaluationState,
  EventPage,
  LeasePlace,
  LeaseRow,
  News,
  OrderRow,
  OutboxRow,
  Part,
  RequestRow,
  RunFilter,
  RunRow,
  SessionRow,
  TickRow,
  TriggerRow,
  VersionRow,
} from './rows.ts';
import type { Commit, CommitResult } from './writes.ts';

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

  /** In their order; all of them where no page is asked for. */
  events(runId: string, page?: EventPage): Promise<readonly RunEvent[]>;
  run(runId: string): Promise<RunRow | null>;
  runByTrigger(triggerKey: string): Promise<RunRow | null>;
  /** Runs that have not ended, oldest first. */
  unfinishedRuns(): Promise<readonly RunRow[]>;
  /** Newest first, by key: `before` is the id of the last row of the page before. At most 200. */
  runs(filter: RunFilter): Promise<readonly RunRow[]>;
  /** Runs that have not ended, of one pipeline. */
  activeRuns(repository: string, pipeline: string): Promise<readonly RunRow[]>;
  /** How many of them are older than that one. */
  runsAhead(repository: string, pipeline: string, runId: string): Promise<number>;
  /** Runs of a pipeline whose logical dates lie in the range, both ends included; those of a date in the order of their ids. */
  runsOfDates(
    repository: string,
    pipeline: string,
    range: { readonly from: number; readonly to: number },
  ): Promise<readonly RunRow[]>;
  /** Which of these runs, at most 200, ended before that moment. */
  runsEndedBefore(runIds: readonly string[], before: number): Promise<readonly string[]>;
  /** All others: those that have not ended, or ended later; in the order of their ids, behind `after`. At most 200. */
  runsNotEndedBefore(before: number, after: string, limit: number): Promise<readonly string[]>;
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
  /** The commit that a branch stood at when it was last looked at; of a tag (`refs/tags/NAME`), its object;
   * of `:HEAD`, the name of the default branch. */
  head(repository: string, branch: string): Promise<string | null>;
  heads(repository: string): Promise<ReadonlyMap<string, string>>;

  /** Oldest first. */
  pendingDeliveries(limit: number, part?: Part): Promise<readonly DeliveryRow[]>;
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
  openRunEnds(limit: number, part?: Part): Promise<readonly RunRow[]>;

  dataEvent(id: string): Promise<DataEventRow | null>;
  /** Those that nobody has decided on, oldest first; what is told from outside is of no repository. */
  openDataEvents(limit: number, part?: Part): Promise<readonly DataEventRow[]>;
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

  /** Rows that are due, oldest first; of those behind `after` alone, where it is given. */
  dueOutbox(now: number, limit: number, after?: OutboxRow | null): Promise<readonly OutboxRow[]>;
  /** When the next row is due; `after`: of those that are due later than that. */
  nextOutboxAt(after?: number): Promise<number | null>;
  /** Rows that failed at least once and are not done, newest first. */
  troubledOutbox(limit: number): Promise<readonly OutboxRow[]>;
  /** The newest that was to be carried out under the key, done or not. */
  outboxRow(key: string): Promise<OutboxRow | null>;
  /** Rows that name this run, at most 200, in the order of time, done or not. */
  outboxOf(runId: string): Promise<readonly OutboxRow[]>;

  evaluations(filter: {
    readonly id?: string;
    readonly runId?: string;
    readonly sha?: string;
    readonly model?: string;
    readonly pullRequest?: number;
    readonly repository?: string;
    readonly state?: EvaluationState;
    readonly limit: number;
  }): Promise<readonly EvaluationRow[]>;
  /** Those that may be promoted, or were, in the order of their ids, behind `after`. At most 200. */
  neededEvaluations(after: string, limit: number): Promise<readonly EvaluationRow[]>;
  /** Pull requests with a model that a merge decides on by itself, and has not, the highest number first. */
  undecidedPullRequests(repository: string, limit: number): Promise<readonly number[]>;
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

export const journalLimits = { pageMax: 200, statementTimeoutMs: 10_000, answerTimeoutMs: 15_000 } as const;

export * from './rows.ts';
export type * from './writes.ts';
