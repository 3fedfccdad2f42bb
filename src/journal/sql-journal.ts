/** The journal over any driver: commits go through the group commit, reads are one statement each. */
import type { Clock } from '../std/clock.ts';
import { backfillById, intervalsOfBackfill, newestBackfills, openBackfills } from './backfills.ts';
import {
  dataEventById,
  listenersOfRepository,
  listenersWithNews,
  newestDataEvents,
  newsOf,
  openDataEvents,
} from './data-events.ts';
import { pendingDeliveries, triggerByKey } from './deliveries.ts';
import type { Driver, Query } from './driver.ts';
import { evaluationPage, neededEvaluations, undecidedPullRequests, unpromotableOf } from './evaluations.ts';
import { GroupCommit } from './group-commit.ts';
import { noHints, type Hints } from './hints.ts';
import { journalLimits, type Commit, type CommitResult, type Journal, type RunFilter } from './journal.ts';
import { leaseRow, releaseLease, renewLease, takeLease } from './lease.ts';
import { news } from './news.ts';
import { openOrders, orderById } from './orders.ts';
import { dueOutbox, forgeObject, nextOutboxAt, outboxByKey, outboxOfRun, troubledOutbox } from './outbox.ts';
import { remember } from './remember.ts';
import { openRequests, requestById } from './requests.ts';
import { openRunEnds } from './run-ends.ts';
import {
  activeRuns,
  eventsOf,
  runById,
  runByTrigger,
  runPage,
  runsAhead,
  runsEndedBefore,
  runsNotEndedBefore,
  runsOfDates,
  unfinishedRuns,
} from './runs.ts';
import { sessionByDigest } from './sessions.ts';
import { cacheEntry, newestCacheEntry } from './step-cache.ts';
import { lastTick, newestTicks } from './ticks.ts';
import { definitionByDigest, headOfBranch, headsOfRepository, versionsOfCommit } from './versions.ts';

/** What every store is opened with. `clock` dates the migrations; all other times come in with the writes. */
export interface JournalOptions {
  readonly clock: Clock;
}

export interface SqlJournalOptions {
  /** The store is held by this process. */
  readonly alone: boolean;
  readonly hints?: Hints;
}

/** A definition may have a megabyte. */
const definitionsMax = 16;

export function sqlJournal(driver: Driver, { alone, hints = noHints }: SqlJournalOptions): Journal {
  const { dialect } = driver;
  const group = new GroupCommit(driver);
  const rows = <Row>(query: Query<Row>): Promise<readonly Row[]> => driver.read(query);
  const first = async <Row>(query: Query<Row>): Promise<Row | null> => (await driver.read(query))[0] ?? null;
  return {
    commit: async (commits: readonly Commit[], epoch?: number): Promise<readonly CommitResult[]> =>
      group.commit(commits, epoch ?? null),

    alone,
    lease: () => first(leaseRow(dialect)),
    takeLease: (place, lastsMs) => first(takeLease(dialect, { place, lastsMs, alone })),
    renewLease: async (epoch, lastsMs, said) => (await first(renewLease(dialect, epoch, lastsMs, said))) !== null,
    async releaseLease(epoch) {
      await first(releaseLease(epoch));
    },
    async news() {
      const [found] = await rows(news());
      if (found === undefined) throw new Error('a select without a condition gave no row');
      return found;
    },
    hint: (word) => hints.tell(word),
    listen: (heard) => hints.listen(heard),

    events: (runId, page) => rows(eventsOf(runId, page)),
    run: (runId) => first(runById(runId)),
    runByTrigger: (triggerKey) => first(runByTrigger(triggerKey)),
    unfinishedRuns: () => rows(unfinishedRuns()),
    runs: (filter: RunFilter) => rows(runPage(filter)),
    activeRuns: (repository, pipeline) => rows(activeRuns(repository, pipeline)),
    runsAhead: async (repository, pipeline, runId) => (await first(runsAhead(repository, pipeline, runId))) ?? 0,
    runsOfDates: (repository, pipeline, range) => rows(runsOfDates(repository, pipeline, range)),
    runsEndedBefore: async (runIds, before) =>
      runIds.length === 0 ? [] : rows(runsEndedBefore(runIds.slice(0, journalLimits.pageMax), before)),
    runsNotEndedBefore: (before, after, limit) => rows(runsNotEndedBefore(before, after, limit)),
    openRequests: (limit) => rows(openRequests(limit)),
    request: (id) => first(requestById(id)),
    openOrders: (limit) => rows(openOrders(limit)),
    order: (id) => first(orderById(id)),

    definition: remember((digest) => first(definitionByDigest(digest)), definitionsMax),
    versions: (repository, sha) => first(versionsOfCommit(repository, sha)),
    head: (repository, branch) => first(headOfBranch(repository, branch)),
    heads: async (repository) => new Map(await rows(headsOfRepository(repository))),

    pendingDeliveries: (limit, part) => rows(pendingDeliveries(limit, part)),
    trigger: (key) => first(triggerByKey(key)),
    lastTick: (repository, pipeline) => first(lastTick(repository, pipeline)),
    ticks: (repository, pipeline, limit) => rows(newestTicks(repository, pipeline, limit)),

    backfill: (id) => first(backfillById(id)),
    openBackfills: () => rows(openBackfills()),
    backfills: (limit) => rows(newestBackfills(limit)),
    backfillIntervals: (id) => rows(intervalsOfBackfill(id)),

    openRunEnds: (limit, part) => rows(openRunEnds(limit, part)),

    dataEvent: (id) => first(dataEventById(id)),
    openDataEvents: (limit, part) => rows(openDataEvents(limit, part)),
    dataEvents: (dataset, limit) => rows(newestDataEvents(dataset, limit)),
    newsOf: (dataset, range, limit) => rows(newsOf(dataset, range, limit)),
    dataListeners: (repository) => rows(listenersOfRepository(repository)),
    listenersWithNews: () => rows(listenersWithNews()),

    dueOutbox: (now, limit, after) => rows(dueOutbox(now, limit, after)),
    nextOutboxAt: (after) => first(nextOutboxAt(after)),
    troubledOutbox: (limit) => rows(troubledOutbox(limit)),
    outboxRow: (key) => first(outboxByKey(key)),
    outboxOf: (runId) => rows(outboxOfRun(runId)),

    evaluations: (filter) => rows(evaluationPage(filter)),
    neededEvaluations: (after, limit) => rows(neededEvaluations(after, limit)),
    undecidedPullRequests: (repository, limit) => rows(undecidedPullRequests(repository, limit)),
    cacheEntry: (cached, key) => first(cacheEntry(cached, key)),
    newestCacheEntry: (cached, index) => first(newestCacheEntry(cached, index)),
    unpromotable: async (runIds) => (runIds.length === 0 ? [] : rows(unpromotableOf(runIds))),
    forgeObject: (key) => first(forgeObject(key)),

    session: (digest) => first(sessionByDigest(digest)),

    async close() {
      await group.settled();
      await hints.close();
      await driver.close();
    },
  };
}
