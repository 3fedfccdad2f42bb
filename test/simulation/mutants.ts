/**
 * Guards that are taken away on purpose, one at a time, by wrapping what the conductor is given: a simulation that still
 * finds nothing then would find nothing in a conductor without that guard either. `docs/simulation.md` says which seed
 * caught which.
 */
import type { Pools } from '../../src/admission/admission.ts';
import type { AttemptOutcome, RunEvent } from '../../src/engine/event.ts';
import type { Executor } from '../../src/executor/executor.ts';
import type { FakeWorld } from '../../src/executor/fake.ts';
import type { Forge } from '../../src/forge/forge.ts';
import type { GitRepository } from '../../src/git/git.ts';
import type { Commit, CommitResult, Journal, Write } from '../../src/journal/journal.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import type { ModelRegistry } from '../../src/registry/registry.ts';
import type { Clock } from '../../src/std/clock.ts';
import { success } from '../../src/std/result.ts';
import { mapOver, works } from '../support/definitions.ts';
import type { FaultClass } from './faults.ts';
import type { ForgeState } from './forge.ts';

export interface Mutant {
  /** What is missing, as a sentence without a subject: "keeps ...". */
  readonly what: string;
  readonly journal?: (journal: Journal) => Journal;
  readonly registry?: (registry: ModelRegistry) => ModelRegistry;
  readonly executor?: (executor: Executor, attempts: FakeWorld) => Executor;
  readonly forge?: (forge: Forge, state: ForgeState) => Forge;
  readonly git?: (git: GitRepository) => GitRepository;
  /** Shows under these faults alone, so that no others need to be looked through. */
  readonly only?: readonly FaultClass[];
  /** Of each server. */
  readonly stopwatch?: (stopwatch: Clock) => Clock;
  /** Beside what is missing, nothing is kept under an epoch, which would keep most of its consequences away. */
  readonly ignoresEpochs?: true;
  /** Servers die often while such a write of theirs is on its way, where chance alone would take many worlds. */
  readonly diesAt?: Write['write'];
  /** It shows where there are so many servers. */
  readonly servers?: 1 | 2;
  /** More than there are. */
  readonly slotsTooMany?: number;
  readonly looksTooMany?: number;
  readonly pools?: (pools: Pools) => Pools;
  readonly definition?: (definition: PipelineDefinition) => PipelineDefinition;
}

/** A dead server's commits and those of its successor. */
const twoWriters = ['crash', 'commit-late', 'cancel', 'hook-doubled'] as const;

export const mutants = {
  'trigger-key-not-unique': {
    what: 'opens another run for a trigger key that it knows',
    journal: onConflict('duplicate-trigger', (write, count) =>
      write.write === 'open-run' ? { ...write, triggerKey: `${write.triggerKey} again ${count}` } : write,
    ),
  },
  'delivery-not-unique': {
    what: 'keeps a webhook a second time, under its meaning or its id',
    journal: onConflict('duplicate-delivery', (write, count) =>
      write.write === 'delivery' ? { ...write, id: `${write.id} again ${count}`, semanticKey: null } : write,
    ),
  },
  'position-not-compared': {
    what: 'adds events to a run that is further on than their maker knew',
    only: twoWriters,
    servers: 1,
    ignoresEpochs: true,
    journal: positionIgnored,
  },
  'tick-not-unique': {
    what: 'forgets the last tick, and keeps another record of it',
    journal: (journal) => ({
      ...onConflict('duplicate-tick', (write) => (write.write === 'tick' ? { ...write, tick: write.tick + 1 } : write))(
        journal,
      ),
      lastTick: () => Promise.resolve(null),
    }),
  },
  'tick-not-recorded': {
    what: 'keeps no record of a tick that led to no run',
    journal: without((write) => write.write === 'tick' && write.decision === 'missed'),
  },
  'schedule-not-followed': {
    what: 'fires no schedule',
    definition: (definition) => ({ ...definition, on: { ...definition.on, schedule: null } }),
  },
  'schedule-forgotten': {
    what: 'fires no schedule after twenty looks at the clock',
    journal: (journal) => {
      let looks = 0;
      return {
        ...journal,
        lastTick: (...asked) =>
          (looks += 1) > 20 ? Promise.resolve(Number.MAX_SAFE_INTEGER) : journal.lastTick(...asked),
      };
    },
  },
  'ticks-missed': {
    what: 'misses each tick for a parameter that nobody gives',
    definition: (definition) => {
      const depth = { type: 'number', default: null, description: null, choices: null } as const;
      return definition.on.schedule === null ? definition : { ...definition, parameters: { depth } };
    },
  },
  'catch-up-off': {
    what: 'never catches up on ticks that are late',
    definition: ({ on, ...definition }) => ({
      ...definition,
      on: { ...on, schedule: on.schedule === null ? null : { ...on.schedule, catchup: 'none' } },
    }),
  },
  'overlap-allowed': {
    what: 'opens a run beside another though the pipeline forbids it',
    definition: (definition) => ({
      ...definition,
      overlap: definition.overlap === 'forbid' ? 'allow' : definition.overlap,
    }),
  },
  'earlier-not-replaced': {
    what: 'lets a run go on that a newer one replaces',
    definition: (definition) => ({
      ...definition,
      overlap: definition.overlap === 'replace' ? 'allow' : definition.overlap,
    }),
  },
  'in-progress-not-cancelled': {
    what: 'lets the run of a commit go on when its branch or pull request has a newer one',
    definition: (definition) => ({ ...definition, cancelInProgress: false }),
  },
  'newest-replaced': {
    what: 'cancels the newest run of a pipeline in place of the one that it replaces',
    journal: withWrites((write) =>
      write.write === 'request' && write.id.includes('/replaces/')
        ? { ...write, runId: write.id.slice(0, write.id.indexOf('/')) }
        : write,
    ),
  },
  'deadline-ignored': {
    what: 'overlooks that a run is late',
    definition: (definition) => ({ ...definition, deadlineMs: null }),
  },
  'time-limit-ignored': {
    what: 'lets a run go on after its time limit',
    definition: (definition) => ({ ...definition, runTimeoutMs: null }),
  },
  'finally-cut-short': {
    what: 'ends the finally-steps of a run that was stopped before their time is over',
    definition: (definition) => ({ ...definition, finallyTimeoutMs: 1 }),
  },
  'never-tried-again': {
    what: 'gives a step up after its first failure',
    definition: retrying(() => 0),
  },
  'tried-too-often': {
    what: 'tries a step once more than it says',
    only: ['attempts'],
    definition: retrying((count) => count + 1),
  },
  'edges-dropped': {
    what: 'starts the steps of a run before those that they are after',
    definition: eachStep((step) => ({ ...step, upstream: [] })),
  },
  'rules-ignored': {
    what: 'starts a step when all before it have ended, whatever its rule',
    definition: eachStep((step) => ({ ...step, triggerRule: 'all_done' })),
  },
  'last-step-dropped': {
    what: 'leaves out the finally-steps of a run',
    definition: (definition) => ({ ...definition, steps: definition.steps.filter((step) => !step.finally) }),
  },
  'map-cut-short': {
    what: 'runs the first instance of a mapped step alone',
    definition: eachStep((step) => (step.map === null ? step : { ...step, map: mapOver([1]) })),
  },
  'map-without-limit': {
    what: 'runs all instances of a mapped step at once',
    definition: eachStep((step) => (step.map === null ? step : { ...step, map: { ...step.map, concurrency: null } })),
  },
  'soft-fail-flipped': {
    what: 'fails where a wait or an approval in vain is a skip, and the other way round',
    definition: eachStep((step) => {
      const { work } = step;
      return 'softFail' in work ? { ...step, work: { ...work, softFail: !work.softFail } } : step;
    }),
  },
  'cache-key-ignored': {
    what: 'finds what was kept last of a step, whatever it is given',
    journal: (journal) => ({ ...journal, cacheEntry: (cached) => journal.newestCacheEntry(cached, 0) }),
  },
  'reused-output-swapped': {
    what: 'reads the outputs of a run in the opposite order',
    // Where nothing goes wrong, more runs come to an end that can be run again.
    only: [],
    journal: (journal) => ({ ...journal, events: async (...asked) => swapped(await journal.events(...asked)) }),
  },
  'lane-without-limit': {
    what: 'lets all runs of a pipeline work at once',
    definition: (definition) => ({ ...definition, maxActiveRuns: 1000 }),
  },
  'request-lost': {
    what: 'holds what was asked of a run in its memory alone',
    only: ['crash', 'cancel', 'slow', 'attempts'],
    journal: without((write) => write.write === 'request'),
  },
  'approval-decided-twice': {
    what: 'accepts a second decision on an approval',
    journal: onConflict('duplicate-request', (write, count) =>
      write.write === 'request' ? { ...write, id: `${write.id} again ${count}` } : write,
    ),
  },
  'interval-not-recorded': {
    what: 'opens the run of an interval of a backfill, and keeps no record of it',
    journal: without((write) => write.write === 'backfill-interval' && write.decision === 'run'),
  },
  'intervals-reversed': {
    what: 'keeps the intervals of a backfill in the opposite order',
    journal: withWrites((write) =>
      write.write === 'backfill' ? { ...write, intervals: write.intervals.toReversed() } : write,
    ),
  },
  'end-lost': {
    what: 'keeps no mark of a run that has ended',
    journal: without((write) => write.write === 'run-end'),
  },
  'news-lost': {
    what: 'keeps nothing of the data that a step has changed',
    journal: without((write) => write.write === 'data-event' && write.event.runId !== null),
  },
  'followed-twice': {
    what: 'opens another run for the end of a run that was followed before',
    // It is followed again where the answer to its opening was lost.
    only: ['crash', 'journal-unanswered', 'attempts'],
    journal: onConflict('duplicate-trigger', (write, count) =>
      write.write === 'open-run' && write.opened.trigger.kind === 'pipeline'
        ? { ...write, triggerKey: `${write.triggerKey} again ${count}` }
        : write,
    ),
  },
  'news-taken-twice': {
    what: 'opens a run for news of data, and forgets that it has taken them',
    journal: without((write) => write.write === 'data-taken'),
  },
  'ended-run-overlooked': {
    what: 'tells those who wait for a run of none that has ended',
    journal: (journal) => ({
      ...journal,
      async runsOfDates(...asked) {
        const rows = await journal.runsOfDates(...asked);
        return rows.filter(({ finishedAt, opened }) => finishedAt === null || opened.trigger.kind === 'backfill');
      },
    }),
  },
  'evaluation-not-compared': {
    what: 'sets the state of an evaluation whatever it was',
    only: ['crash', 'commit-late'],
    diesAt: 'evaluation-state',
    servers: 1,
    ignoresEpochs: true,
    journal: onConflict('changed', (write) => (write.write === 'evaluation-state' ? null : write)),
  },
  'outbox-sequence-ignored': {
    what: 'marks a report as delivered though a newer one was asked for meanwhile',
    journal: ignoringSequences,
  },
  'commit-torn': {
    what: 'keeps the first write of a commit alone, now and then',
    journal: torn,
  },
  'commit-forgotten': {
    what: 'acknowledges a commit that it did not keep, now and then',
    journal: forgetful,
  },
  'settle-lost': {
    what: 'loses what asks for the decision on a promotion',
    journal: without((write) => write.write === 'outbox' && write.kind === 'settle'),
  },
  'promotion-lost': {
    what: 'loses what asks for a promotion that was decided',
    journal: without((write) => write.write === 'outbox' && write.kind === 'promote'),
  },
  'notice-lost': {
    what: 'loses what asks for a notification',
    journal: without((write) => write.write === 'outbox' && write.kind === 'notify'),
  },
  'notice-too-early': {
    what: 'says of each run that it is late',
    journal: (journal) => ({
      ...journal,
      dueOutbox: async (...asked) =>
        (await journal.dueOutbox(...asked)).map((row) =>
          row.kind === 'notify' ? { ...row, body: { ...row.body, event: 'deadline-missed' } } : row,
        ),
    }),
  },
  'forge-object-forgotten': {
    what: 'forgets the comment that it made, on a forge that does not look for it',
    journal: without((write) => write.write === 'forge-object' && write.key.startsWith('comment:')),
    forge: (forge, state) => {
      state.findsByMarker = false;
      return forge;
    },
  },
  'champion-not-compared': {
    what: 'promotes against whichever champion there is',
    registry: (registry) => ({
      ...registry,
      async promote(promotion) {
        const champion = await registry.champion(promotion.model);
        if (!champion.ok) return champion;
        return registry.promote({ ...promotion, expectedChampion: champion.value?.version ?? null });
      },
    }),
  },
  'decision-not-unique': {
    what: 'promotes a second time for the same decision',
    // It is asked for again where the answer was lost.
    only: ['crash', 'journal-unanswered', 'registry'],
    registry: (registry) => {
      let count = 0;
      return {
        ...registry,
        async promote(promotion) {
          count += 1;
          const champion = await registry.champion(promotion.model);
          const known = champion.ok && champion.value?.evidence.runId === promotion.evidence.runId;
          const again = { ...promotion, decision: `${promotion.decision} again ${count}` };
          if (!known) return registry.promote(promotion);
          return registry.promote({ ...again, expectedChampion: champion.value?.version ?? null });
        },
      };
    },
  },
  'versions-not-looked-at': {
    what: 'forgets which models are versions already',
    // Where nothing goes wrong, more runs come to an end that can be run again.
    only: [],
    registry: (registry) => ({ ...registry, model: () => Promise.resolve(success(null)) }),
  },
  'attempt-begun-twice': {
    what: 'begins an attempt anew that it began before',
    executor: (executor, attempts) => ({
      ...executor,
      start(spec) {
        if (attempts.ends.get(spec.attemptId) !== null) attempts.ends.delete(spec.attemptId);
        return executor.start(spec);
      },
      recover: () => Promise.resolve(),
    }),
  },
  'attempts-not-recovered': {
    what: 'does not ask after the attempts that an earlier server left',
    executor: (executor) => ({ ...executor, recover: () => Promise.resolve() }),
  },
  'stop-not-sent': {
    what: 'lets the attempts of a cancelled run go on',
    executor: (executor) => ({ ...executor, stop: () => Promise.resolve() }),
  },
  'one-slot-too-many': { what: 'admits one attempt more than there are slots', slotsTooMany: 1 },
  'one-look-too-many': { what: 'has one function more look than the executor takes at once', looksTooMany: 1 },
  'one-pool-slot-too-many': {
    what: 'admits one attempt more than there are slots of a pool',
    pools: (pools) => new Map([...pools].map(([name, slots]) => [name, slots + 1])),
  },
  'pool-slot-lost': {
    what: 'has one slot of a pool that is never free',
    pools: (pools) => new Map([...pools].map(([name, slots]) => [name, slots - 1])),
    definition: eachStep(takingOne),
  },
  'memory-not-grown': {
    what: 'gives an attempt no more memory after one that ran out of it',
    only: ['attempts'],
    definition: eachStep(({ memory, ...step }) =>
      memory === undefined ? step : { ...step, memory: { bytes: memory.bytes } },
    ),
  },
  'priority-ignored': {
    what: 'starts what waits longest, whatever its priority',
    only: ['attempts'],
    definition: eachStep(({ priority: _priority, ...step }) => step),
  },
  'epoch-not-checked': {
    what: 'keeps what a server gives that conducts no more',
    only: ['freeze', 'lease'],
    servers: 2,
    journal: (journal) => ({ ...journal, commit: (commits) => journal.commit(commits) }),
  },
  'lease-taken-early': {
    what: 'takes the lease though it has not expired',
    only: ['slow'],
    servers: 2,
    journal: (journal) => ({
      ...journal,
      async lease() {
        const row = await journal.lease();
        return row === null ? null : { ...row, expiresInMs: 0 };
      },
      async takeLease(place, lastsMs) {
        const row = await journal.lease();
        if (row !== null) await journal.releaseLease(row.epoch);
        return journal.takeLease(place, lastsMs);
      },
    }),
  },
  'holder-goes-on': {
    what: 'conducts on after its lease has expired',
    only: ['lease'],
    servers: 2,
    stopwatch: () => ({ now: () => 0 }),
  },
  'attempts-outlive-lease': {
    what: 'lets the attempts of a lost lease go on',
    only: ['lease', 'attempts'],
    servers: 2,
    executor: (executor) => ({ ...executor, close: () => Promise.resolve() }),
  },
  'tags-not-heard': {
    what: 'has no pipeline listen to tags',
    definition: ({ on, ...definition }) => ({
      ...definition,
      on: { ...on, push: on.push === null || on.push.tags.length === 0 ? on.push : null },
    }),
  },
  'tags-overlooked': {
    what: 'looks at no tag by itself',
    only: ['hook-lost'],
    git: (git) => ({
      ...git,
      async remoteRefs() {
        const refs = await git.remoteRefs();
        return refs.ok ? success({ ...refs.value, tags: success(new Map()) }) : refs;
      },
    }),
  },
  'reprocess-ignored': {
    what: 'runs an interval of a backfill whatever became of it before',
    only: ['cancel'],
    journal: (journal) => ({
      ...journal,
      runsOfDates: (repository, pipeline, range) =>
        pipeline === 'past' ? Promise.resolve([]) : journal.runsOfDates(repository, pipeline, range),
    }),
  },
  'closed-gate-skips': {
    what: 'skips what comes after a gate that does not pass, and fails nothing',
    definition: eachStep((step) => (step.work.kind === 'gate' ? { ...step, work: works.shortCircuit() } : step)),
  },
  'remote-not-polled': {
    what: 'looks at no branch and no tag by itself',
    git: (git) => {
      const none = new Map();
      const remoteRefs = { defaultBranch: 'main', branches: none, tags: success(none) };
      return {
        ...git,
        remoteBranches: () => Promise.resolve(success(none)),
        remoteRefs: () => Promise.resolve(success(remoteRefs)),
      };
    },
  },
  'status-not-repeated': {
    what: 'says nothing more about a commit after its first status',
    forge: (forge) => {
      const told = new Set<string>();
      return {
        ...forge,
        setStatus(report) {
          const key = `${report.sha} ${report.pipeline}`;
          if (told.has(key)) return Promise.resolve(success(undefined));
          told.add(key);
          return forge.setStatus(report);
        },
      };
    },
  },
} satisfies Readonly<Record<string, Mutant>>;

/** So that no step takes more slots than the pool has left. */
function takingOne(step: StepDefinition): StepDefinition {
  return step.pool === undefined ? step : { ...step, pool: { ...step.pool, slots: 1 } };
}

export type MutantName = keyof typeof mutants;
// oxlint-disable-next-line typescript/consistent-type-assertions -- the keys of the object above
export const mutantNames = Object.keys(mutants) as MutantName[];

type Change = (write: Write, count: number) => Write | null;

/** A commit that conflicts so is given again with its writes changed (null: left out), until it is taken. */
function onConflict(conflict: Extract<CommitResult, { ok: false }>['conflict'], change: Change) {
  return (journal: Journal): Journal => {
    let count = 0;
    const commitOne = async (commit: Commit, epoch?: number): Promise<CommitResult> => {
      const [result] = await journal.commit([commit], epoch);
      if (result === undefined || result.ok || result.conflict !== conflict) return result ?? { ok: true };
      count += 1;
      const changed = commit.flatMap((write) => change(write, count) ?? []);
      const same = changed.every((write, index) => write === commit[index]) && changed.length === commit.length;
      if (!same) await journal.commit([changed], epoch);
      return same ? result : { ok: true };
    };
    return { ...journal, commit: (commits, epoch) => Promise.all(commits.map((each) => commitOne(each, epoch))) };
  };
}

function positionIgnored(journal: Journal): Journal {
  const further = async (write: Write): Promise<Write> =>
    write.write === 'append' ? { ...write, position: (await journal.events(write.runId)).length } : write;
  const commitOne = async (commit: Commit, epoch?: number): Promise<CommitResult> => {
    const [result] = await journal.commit([commit], epoch);
    if (result === undefined || result.ok || result.conflict !== 'position') return result ?? { ok: true };
    return (await journal.commit([await Promise.all(commit.map(further))], epoch))[0] ?? { ok: true };
  };
  return { ...journal, commit: (commits, epoch) => Promise.all(commits.map((each) => commitOne(each, epoch))) };
}

/** Each write in another way. */
function withWrites(change: (write: Write) => Write) {
  return (journal: Journal): Journal => ({
    ...journal,
    commit: (commits, epoch) =>
      journal.commit(
        commits.map((commit) => commit.map(change)),
        epoch,
      ),
  });
}

/** But for those of a challenge, which the forge hears of. */
function swapped(events: readonly RunEvent[]): readonly RunEvent[] {
  const outputs = events.flatMap((event) => (hasOutput(event) ? event.outcome.output : []));
  return events.map((event) =>
    hasOutput(event)
      ? { ...event, outcome: { ...event.outcome, output: outputs.pop() ?? event.outcome.output } }
      : event,
  );
}

type Succeeded = Extract<AttemptOutcome, { kind: 'succeeded' }>;

function hasOutput(event: RunEvent): event is Extract<RunEvent, { type: 'attempt-finished' }> & { outcome: Succeeded } {
  if (event.type !== 'attempt-finished' || event.step === 'train' || event.step === 'challenge') return false;
  return event.outcome.kind === 'succeeded';
}

function eachStep(change: (step: StepDefinition) => StepDefinition) {
  return (definition: PipelineDefinition): PipelineDefinition => ({
    ...definition,
    steps: definition.steps.map(change),
  });
}

function retrying(countOf: (count: number) => number) {
  return eachStep((step) => ({ ...step, retry: { ...step.retry, count: countOf(step.retry.count) } }));
}

function without(isLost: (write: Write) => boolean) {
  return (journal: Journal): Journal => ({
    ...journal,
    commit: (commits, epoch) =>
      journal.commit(
        commits.map((commit) => commit.filter((write) => !isLost(write))),
        epoch,
      ),
  });
}

function ignoringSequences(journal: Journal): Journal {
  const newest = new Map<string, number>();
  const latest = (write: Write): Write =>
    write.write === 'outbox-done' ? { ...write, sequence: newest.get(write.key) ?? write.sequence } : write;
  return {
    ...journal,
    commit(commits, epoch) {
      for (const write of commits.flat())
        if (write.write === 'outbox') newest.set(write.key, (newest.get(write.key) ?? 0) + 1);
      return journal.commit(
        commits.map((commit) => commit.map(latest)),
        epoch,
      );
    },
  };
}

/** Every so many commits. */
const everyMany = 15;

function torn(journal: Journal): Journal {
  let count = 0;
  return {
    ...journal,
    commit: (commits, epoch) =>
      journal.commit(
        commits.map((commit) => ((count += 1) % everyMany === 0 ? commit.slice(0, 1) : commit)),
        epoch,
      ),
  };
}

function forgetful(journal: Journal): Journal {
  let count = 0;
  return {
    ...journal,
    commit(commits, epoch) {
      count += 1;
      if (count % everyMany !== 0) return journal.commit(commits, epoch);
      return Promise.resolve(commits.map(() => ({ ok: true })));
    },
  };
}
