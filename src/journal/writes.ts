/** What can be kept: each write with what it promises. */
import type { CacheParts, RunEvent, RunOpened, RunState, StepOutput } from '../engine/event.ts';
import type { RunRequest } from '../engine/request.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { JsonObject } from '../std/json.ts';
import type {
  BackfillRow,
  BackfillState,
  CachedStep,
  DataListener,
  EvaluationRow,
  EvaluationState,
  ToldEvent,
  VersionRow,
} from './rows.ts';

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
