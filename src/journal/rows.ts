/** What can be read: the rows as they are given. */
import type { CacheParts, FinalRunState, RunOpened, RunState, StepOutput } from '../engine/event.ts';
import type { RunRequest } from '../engine/request.ts';
import type { Artifact, PromotionPolicy } from '../pipeline/definition.ts';
import type { Json, JsonObject } from '../std/json.ts';
import type { Problem } from '../std/problem.ts';

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

/** Of the events of one run: at most `limit` of them, from a position on, the first one being 0. */
export interface EventPage {
  readonly from: number;
  readonly limit: number;
}

/** Of what waits: what is of one repository, and what stands after the one with this id. */
export interface Part {
  readonly repository?: string;
  readonly after?: string;
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

/** What the journal was asked for, or holds, is wrong in one place: all others have their answers. */
export class JournalMistake extends Error {}

/** Another server conducts by now: what was to be kept under the epoch was not. */
export class LeaseLost extends Error {
  constructor() {
    super('another server conducts by now');
    this.name = 'LeaseLost';
  }
}

export interface VersionRow {
  readonly file: string;
  /** Of a broken file the name that it had when it was last whole; null where that is not known. */
  readonly pipeline: string | null;
  /** Null where the file is broken. */
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
  /** Of each run, where one is not its default. */
  readonly parameters?: RunOpened['parameters'];
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
  /** When it was asked for. */
  readonly at: number;
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
