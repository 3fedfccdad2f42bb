/** What the conductor is given by the composition root, and the words that its files share. */
import type { Pools } from '../admission/admission.ts';
import type { Compiler } from '../compile/compile.ts';
import type { Executor, ReportSink } from '../executor/executor.ts';
import type { Forge } from '../forge/forge.ts';
import type { GitRepository } from '../git/git.ts';
import type { Journal, LeasePlace } from '../journal/journal.ts';
import type { Notifier } from '../notify/notify.ts';
import type { ArtifactStore, ArtifactStreams, ArtifactUses, LogStore } from '../outputs/outputs.ts';
import type { Timer, WakeQueue } from '../queue/queue.ts';
import type { Job } from './jobs.ts';
import type { ModelRegistry } from '../registry/registry.ts';
import type { Sensors } from '../sensors/sensors.ts';
import type { Clock } from '../std/clock.ts';

/** One watched repository with everything that belongs to it. */
export interface Project {
  /** Its name in the configuration: `owner/name`, or the folder's name. */
  readonly name: string;
  readonly git: GitRepository;
  readonly forge: Forge;
  readonly registry: ModelRegistry;
  /** How often the remote's branches and tags are looked at, and the forge is asked for open pull requests, */
  readonly pollMs: number;
  /** for which it is asked so often while webhooks arrive. */
  readonly pollWithHooksMs: number;
}

/** What a term of office is given. */
export interface ConductorPorts {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly executor: Executor;
  readonly sensors: Sensors;
  readonly notifier: Notifier;
  /** Slots by the name of the pool: what the configuration declares. */
  readonly pools: Pools;
  readonly artifacts: ArtifactStore & ArtifactUses & Pick<ArtifactStreams, 'openVerified'>;
  readonly logs: Pick<LogStore, 'read'>;
  /** Of the disk with the state folder. */
  readonly diskSpace: () => Promise<DiskSpace>;
  /** Removes a little of what is too old; gives in how many milliseconds to go on. Null: all is kept for good. */
  readonly retention: { work(): Promise<number> } | null;
  readonly compiler: Compiler;
  readonly projects: ReadonlyMap<string, Project>;
  /** Turns of runs, handed over together so that they share a commit. */
  readonly runQueue: WakeQueue;
  /** Everything else: intake, outbox, ticks, polling. */
  readonly jobQueue: WakeQueue<Job>;
  /** A lower-case ULID: ids in order of time. */
  readonly newId: () => string;
  /** Address of a run's page, or null where no server shows it. */
  readonly runUrl: (runId: string) => string | null;
  readonly log: ConductorLog;
}

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What a server is given, whether it conducts or stands by: everything but what belongs to one term of office. */
export interface ServerPorts extends Omit<ConductorPorts, 'executor' | 'runQueue' | 'jobQueue'> {
  /** A new one for each term; it is closed with it. `trusted`: whether the lease of the term is surely held at this moment. */
  readonly openExecutor: (report: ReportSink, trusted: () => boolean) => Executor;
  readonly openQueue: <Key extends string>() => WakeQueue<Key>;
  /** Counts from anywhere and only runs, whatever becomes of the clock. */
  readonly stopwatch: Clock;
  readonly timer: Timer;
  /** Where this server is, for people who ask who conducts. */
  readonly place: () => LeasePlace;
}

/** Where the conductor says what went wrong with the world; once each, with the cause. */
export interface ConductorLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export const conductorLimits = {
  /** A commit that a webhook speaks of may come this much later than it was first looked for. */
  commitLateMaxMs: 5 * 60_000,
  deliveryAgainMs: 2000,
  /** What the head of a fork may bring that is not here, packed. */
  forkBytesMax: 128 * 2 ** 20,
  deliveriesPerLookMax: 500,
  /** Pushed tags that one look at a repository acts on, and those that are noted together. */
  tagsPerLookMax: 100,
  tagsPerCommitMax: 1000,
  /** Pull requests that a merge would decide something on, the newest, and how many of them one look asks the forge about. */
  undecidedMax: 10_000,
  leftPerLookMax: 100,
  /** Rows that are carried out at once for one repository or channel. */
  outboxAtOnceMax: 20,
  /** Comments on forks of one repository, whose definitions are compiled for them. */
  forksAtOnceMax: 1,
  /** Due rows that are read together. */
  outboxPageMax: 200,
  /** Of a report on a commit that the forge does not know yet, before it is given up: eight minutes. */
  earlyTriesMax: 9,
  outboxBackoffFirstMs: 1000,
  outboxBackoffMaxMs: 5 * 60_000,
  /** A status that the forge has taken is looked at again after so long, then after as long again, for so long. */
  statusLookMs: 5 * 60_000,
  statusLooksMs: 24 * 3_600_000,
  /** What waits for another try is tried at the start of a term: so many, the newest. */
  troubledAtStartMax: 100,
  /** A notification that nobody has taken by then is given up. */
  noticeTriedMs: 24 * 3_600_000,
  /** So many runs back it is looked whether one failed before the one that did not. */
  recoveryRunsMax: 50,
  /** Reports that are not final wait this long, so that the next one replaces them; those of a run, after another's in the same place. */
  reportDebounceMs: 1000,
  /** `running` reports wait this long for the end, which then shares their commit. */
  runningDebounceMs: 40,
  /** Runs that are kept in memory; others are folded from the journal when they have a turn. */
  runsFoldedMax: 1000,
  /** Looks that are under way at once for the steps of one repository: at runs, and at each of files, addresses and objects. */
  looksInsideMax: 4,
  looksOutsideMax: 32,
  /** Looks that are due within such a span are made together, or within a tenth of their interval. */
  looksTogetherMs: 1000,
  /** After a look that could not be made. */
  lookInVainMs: 5000,
  /** Of one step: two of its largest maps. */
  cacheEntriesMax: 20_000,
  /** What is kept and not carried out yet is looked for this often, whatever woke nobody. */
  lookAgainMs: 60_000,
  /** What another server or command has kept is seen after so long, where no hint tells of it. */
  lookForNewsMs: 2000,
  /** Below the smaller of the two no step is started. */
  freeBytesMin: 2 ** 30,
  freeShareMin: 0.05,
  lookForRoomMs: 10_000,
  requestsPerLookMax: 500,
  /** What is too old is looked for this often, and removed so much in one turn. */
  removeOldMs: 3_600_000,
  logsPerTurnMax: 100,
  artifactsPerTurnMax: 100,
  /** Artifacts are looked at once a day, and none that is younger than a day before the oldest run that goes on. */
  removeArtifactsMs: 24 * 3_600_000,
  artifactsBeforeRunMs: 24 * 3_600_000,
  /** Ends of runs, and news of data, that are looked at together. */
  eventsPerLookMax: 200,
  /** After one of them that has to wait, for Git or a commit. */
  eventsAgainMs: 5000,
  /** So many runs may have opened one another before one opens none. */
  followDepthMax: 16,
  /** An end that nobody was there to follow for so long is too old. */
  followLateMaxMs: 24 * 3_600_000,
  /** News that a run is told of by themselves; of more it knows how many. */
  newsPerRunMax: 50,
  /** After a turn that failed for want of the database, or of a definition. */
  turnAgainMs: 1000,
} as const;
