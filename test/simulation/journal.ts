/**
 * The real journal (SQLite, in memory) as one server reaches it: late, refused, or kept without an answer. What was kept
 * is told to the history, write by write, so that the promises are checked against what happened and not against what the
 * database would have allowed.
 */
import type { Commit, CommitResult, Journal } from '../../src/journal/journal.ts';
import type { Server } from './server.ts';
import type { Wire } from './wire.ts';
import type { World } from './world.ts';

/** `self`: who hears no hint of its own. */
export function simulatedJournal(world: World, wire: Wire, self: Server): Journal {
  const { journal, history } = world;
  const refuse = (): never => {
    throw new Error('the database does not answer');
  };
  const read = <T>(effect: () => Promise<T>): Promise<T> =>
    wire.call(effect, { before: 'journal-refused', answer: refuse });
  const lease = <T>(effect: () => Promise<T>): Promise<T> =>
    wire.call(() => (self.isCutOff ? refuse() : effect()), {
      before: 'lease',
      after: 'lease',
      outlives: 'lease',
      answer: refuse,
    });
  const commit = async (commits: readonly Commit[], epoch?: number): Promise<readonly CommitResult[]> => {
    const interference = world.interfere(commits);
    if (interference === 'refused') return refuse();
    const results = await journal.commit(commits, epoch);
    world.office.kept(epoch ?? null);
    for (const [index, result] of results.entries()) {
      if (!result.ok) continue;
      commits[index]?.forEach((write) => history.kept(write));
      history.listeners.kept();
    }
    return interference === 'unanswered' ? refuse() : results;
  };
  return {
    alone: journal.alone,
    lease: () => lease(() => journal.lease()),
    takeLease: (place, lastsMs) =>
      lease(async () => {
        const epoch = await journal.takeLease(place, lastsMs);
        if (epoch !== null) world.office.taken(epoch, lastsMs);
        return epoch;
      }),
    renewLease: (epoch, lastsMs, said) =>
      lease(async () => {
        const renewed = await journal.renewLease(epoch, lastsMs, said);
        if (renewed) world.office.renewed(epoch, lastsMs);
        return renewed;
      }),
    releaseLease: (epoch) =>
      lease(async () => {
        await journal.releaseLease(epoch);
        world.office.released(epoch);
      }),
    news: () => read(() => journal.news()),
    hint: (word) => world.hint(word, self),
    listen: (heard) => world.listen(self, heard),
    openOrders: (limit) => read(() => journal.openOrders(limit)),
    order: (id) => read(() => journal.order(id)),
    commit: (commits, epoch) => {
      const { diesAt, ignoresEpochs } = world.mutant;
      const isLast = commits.flat().some(({ write }) => write === diesAt) && wire.strikes('crash');
      if (isLast) world.time.later(0, () => world.crash(100, self));
      return wire.call(() => commit(commits, ignoresEpochs === true ? undefined : epoch), {
        before: 'journal-refused',
        after: 'journal-unanswered',
        outlives: 'commit-late',
        answer: refuse,
      });
    },
    events: (runId, page) =>
      read(() => {
        if (world.refuseReads === 0) return journal.events(runId, page);
        world.refuseReads -= 1;
        return refuse();
      }),
    run: (runId) => read(() => journal.run(runId)),
    runByTrigger: (key) => read(() => journal.runByTrigger(key)),
    unfinishedRuns: () => read(() => journal.unfinishedRuns()),
    runs: (filter) => read(() => journal.runs(filter)),
    activeRuns: (repository, pipeline) => read(() => journal.activeRuns(repository, pipeline)),
    runsAhead: (repository, pipeline, runId) => read(() => journal.runsAhead(repository, pipeline, runId)),
    runsEndedBefore: (ids, before) => read(() => journal.runsEndedBefore(ids, before)),
    runsNotEndedBefore: (before, after, limit) => read(() => journal.runsNotEndedBefore(before, after, limit)),
    neededEvaluations: (after, limit) => read(() => journal.neededEvaluations(after, limit)),
    runsOfDates: (repository, pipeline, range) => read(() => journal.runsOfDates(repository, pipeline, range)),
    openRequests: (limit) => read(() => journal.openRequests(limit)),
    request: (id) => read(() => journal.request(id)),
    definition: (digest) => read(() => journal.definition(digest)),
    versions: (repository, sha) => read(() => journal.versions(repository, sha)),
    head: (repository, branch) => read(() => journal.head(repository, branch)),
    heads: (repository) => read(() => journal.heads(repository)),
    pendingDeliveries: (limit, part) => read(() => journal.pendingDeliveries(limit, part)),
    trigger: (key) => read(() => journal.trigger(key)),
    lastTick: (repository, pipeline) => read(() => journal.lastTick(repository, pipeline)),
    ticks: (repository, pipeline, limit) => read(() => journal.ticks(repository, pipeline, limit)),
    backfill: (id) => read(() => journal.backfill(id)),
    openBackfills: () => read(() => journal.openBackfills()),
    backfills: (limit) => read(() => journal.backfills(limit)),
    backfillIntervals: (id) => read(() => journal.backfillIntervals(id)),
    openRunEnds: (limit, part) => read(() => journal.openRunEnds(limit, part)),
    dataEvent: (id) => read(() => journal.dataEvent(id)),
    openDataEvents: (limit, part) => read(() => journal.openDataEvents(limit, part)),
    dataEvents: (dataset, limit) => read(() => journal.dataEvents(dataset, limit)),
    newsOf: (dataset, range, limit) => read(() => journal.newsOf(dataset, range, limit)),
    dataListeners: (repository) => read(() => journal.dataListeners(repository)),
    listenersWithNews: () => read(() => journal.listenersWithNews()),
    dueOutbox: (...asked) => read(() => journal.dueOutbox(...asked)),
    nextOutboxAt: (after) => read(() => journal.nextOutboxAt(after)),
    outboxRow: (key) => read(() => journal.outboxRow(key)),
    outboxOf: (runId) => read(() => journal.outboxOf(runId)),
    troubledOutbox: (limit) => read(() => journal.troubledOutbox(limit)),
    evaluations: (filter) => read(() => journal.evaluations(filter)),
    undecidedPullRequests: (repository, limit) => read(() => journal.undecidedPullRequests(repository, limit)),
    cacheEntry: (cached, key) => read(() => journal.cacheEntry(cached, key)),
    newestCacheEntry: (cached, index) => read(() => journal.newestCacheEntry(cached, index)),
    unpromotable: (runIds) => read(() => journal.unpromotable(runIds)),
    forgeObject: (key) => read(() => journal.forgeObject(key)),
    session: (digest) => read(() => journal.session(digest)),
    close: () => Promise.resolve(),
  };
}
