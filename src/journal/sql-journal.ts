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
import { evaluationPage, unpromotableOf } from './evaluations.ts';
import { GroupCommit } from './group-commit.ts';
import type { Commit, CommitResult, Journal, RunFilter } from './journal.ts';
import { dueOutbox, forgeObject, nextOutboxAt, troubledOutbox } from './outbox.ts';
import { openRequests, requestById } from './requests.ts';
import { openRunEnds } from './run-ends.ts';
import { activeRuns, eventsOf, runById, runByTrigger, runPage, runsOfDates, unfinishedRuns } from './runs.ts';
import { cacheEntry, newestCacheEntry } from './step-cache.ts';
import { lastTick, newestTicks } from './ticks.ts';
import { definitionByDigest, headOfBranch, headsOfRepository, versionsOfCommit } from './versions.ts';

/** What every store is opened with. `clock` dates the migrations; all other times come in with the writes. */
export interface JournalOptions {
  readonly clock: Clock;
}

export function sqlJournal(driver: Driver): Journal {
  const group = new GroupCommit(driver);
  const rows = <Row>(query: Query<Row>): Promise<readonly Row[]> => driver.read(query);
  const first = async <Row>(query: Query<Row>): Promise<Row | null> => (await driver.read(query))[0] ?? null;
  return {
    commit: async (commits: readonly Commit[]): Promise<readonly CommitResult[]> => group.commit(commits),

    events: (runId) => rows(eventsOf(runId)),
    run: (runId) => first(runById(runId)),
    runByTrigger: (triggerKey) => first(runByTrigger(triggerKey)),
    unfinishedRuns: () => rows(unfinishedRuns()),
    runs: (filter: RunFilter) => rows(runPage(filter)),
    activeRuns: (repository, pipeline) => rows(activeRuns(repository, pipeline)),
    runsOfDates: (repository, pipeline, range) => rows(runsOfDates(repository, pipeline, range)),
    openRequests: (limit) => rows(openRequests(limit)),
    request: (id) => first(requestById(id)),

    definition: (digest) => first(definitionByDigest(digest)),
    versions: (repository, sha) => first(versionsOfCommit(repository, sha)),
    head: (repository, branch) => first(headOfBranch(repository, branch)),
    heads: async (repository) => new Map(await rows(headsOfRepository(repository))),

    pendingDeliveries: (limit) => rows(pendingDeliveries(limit)),
    trigger: (key) => first(triggerByKey(key)),
    lastTick: (repository, pipeline) => first(lastTick(repository, pipeline)),
    ticks: (repository, pipeline, limit) => rows(newestTicks(repository, pipeline, limit)),

    backfill: (id) => first(backfillById(id)),
    openBackfills: () => rows(openBackfills()),
    backfills: (limit) => rows(newestBackfills(limit)),
    backfillIntervals: (id) => rows(intervalsOfBackfill(id)),

    openRunEnds: (limit) => rows(openRunEnds(limit)),

    dataEvent: (id) => first(dataEventById(id)),
    openDataEvents: (limit) => rows(openDataEvents(limit)),
    dataEvents: (dataset, limit) => rows(newestDataEvents(dataset, limit)),
    newsOf: (dataset, range, limit) => rows(newsOf(dataset, range, limit)),
    dataListeners: (repository) => rows(listenersOfRepository(repository)),
    listenersWithNews: () => rows(listenersWithNews()),

    dueOutbox: (now, limit) => rows(dueOutbox(now, limit)),
    nextOutboxAt: () => first(nextOutboxAt()),
    troubledOutbox: (limit) => rows(troubledOutbox(limit)),

    evaluations: (filter) => rows(evaluationPage(filter)),
    cacheEntry: (cached, key) => first(cacheEntry(cached, key)),
    newestCacheEntry: (cached, index) => first(newestCacheEntry(cached, index)),
    unpromotable: async (runIds) => (runIds.length === 0 ? [] : rows(unpromotableOf(runIds))),
    forgeObject: (key) => first(forgeObject(key)),

    async close() {
      await group.settled();
      await driver.close();
    },
  };
}
