/**
 * A run in memory: what the events so far add up to. It belongs to one turn at a time; `evolve` changes it in place,
 * which keeps a run of ten thousand steps linear. It is a fold of the journal and nothing else: whoever doubts it
 * throws it away and folds again.
 *
 * Beside what happened, it keeps tallies of it (`upstream`, `counts`, `unfinished…`) and lists of what to look at next
 * (`changed`, `ready`, `due`), so that a decision costs as much as has changed, not as much as the run is large.
 */
import type { PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import {
  stepEnds,
  type AttemptOutcome,
  type CacheLook,
  type Control,
  type LookFailure,
  type RunOpened,
  type RunState,
  type StepOutput,
  type StepState,
  type Usage,
} from './event.ts';
import type { PriorityQueue } from './priority-queue.ts';
import type { UpstreamTally } from './trigger-rule.ts';

export interface Run {
  readonly definition: PipelineDefinition;
  readonly opened: RunOpened;
  /** Number of events folded in: the journal position that the next one gets. */
  position: number;
  /** When its turn came: the time of what was first decided of it, but for what one that waits may know too. */
  begunAt: number | null;
  state: RunState;
  reason: string | null;
  finishedAt: number | null;
  readonly steps: ReadonlyMap<string, Step>;

  /** Why a run in state `cancelling` is being stopped; null in any other state. */
  stopping: Stopping | null;
  /** Why its finally-steps are too; null: they are not. */
  finallyStopping: Stopping | null;
  /** Since when a run that is being stopped has nothing left but finally-steps; null: it is none. */
  finallySince: number | null;
  deadlineMissed: boolean;
  /** Steps that are not final, without the finally-steps, and those alone. */
  unfinishedSteps: number;
  unfinishedFinallySteps: number;
  /** What the rules of finally-steps are about: how many of the other steps have at least one instance that ended so. */
  readonly others: Omit<UpstreamTally, 'unfinished'> & { cancelled: number };
  /** Instances with an attempt that was started and has not reported its end. */
  readonly active: Map<Instance, Step>;
  /** Steps whose surroundings changed since they were last looked at. */
  readonly changed: PriorityQueue<Step>;
  /**
   * Steps with instances that wait for a slot, by pool (null: of none): the highest priority first, equal ones in the
   * order of the definition. May hold some that no longer wait.
   */
  readonly ready: ReadonlyMap<string | null, PriorityQueue<Step>>;
  /** Planned retries, and ends of approvals, the earliest first. May hold some that were given up. */
  readonly due: PriorityQueue<PlannedTry>;
}

export type Stopping =
  | { readonly cause: 'cancelled'; readonly by: string; readonly reason: string }
  | { readonly cause: 'timeout' };

export interface PlannedTry {
  readonly dueAt: number;
  readonly step: Step;
  readonly instance: Instance;
}

export interface Step {
  readonly definition: StepDefinition;
  /** Of the step as a whole: for a mapped step, what its instances add up to. */
  state: StepState;
  reason: string | null;
  /** Null until the length of a mapped step is known. Always one for a step without `map`. */
  instances: Instance[] | null;
  /** The run whose attempts gave what stands here; null where it is this one, if only for some instances. */
  reusedFrom: string | null;

  /** Place in the definition, from 0. */
  readonly ordinal: number;
  /** Declared `finally`, or downstream of such a step: it starts when all others have ended. */
  readonly runsLast: boolean;
  /** The steps directly after it: of a step that does not run last, without those that do. */
  readonly downstream: Step[];
  readonly upstream: UpstreamTally;
  /** Names of the steps whose outputs it reads. */
  readonly reads: ReadonlySet<string>;
  /** How many of those are upstream and not final: it is not started before they are, however early its rule allows. */
  readsUnfinished: number;
  /** What could still skip it, whatever its trigger rule says. Nothing is decided before both are zero. */
  readonly guards: { direct: number; upstream: number };
  /** No unfinished step, itself included, can skip what lies any way downstream of it. */
  clear: boolean;
  /** A branch, short circuit or gate wants it skipped. `far`: and everything after it. */
  skip: { readonly reason: string; readonly far: boolean } | null;
  /** Whether it stands in `Run.changed`, and in `Run.ready`. */
  toLookAt: boolean;
  offered: boolean;
  /** How many instances are in each state; states without any may be missing. */
  readonly counts: Map<StepState, number>;
  /** Indexes of the instances that wait for a slot, lowest first. */
  readonly ready: PriorityQueue<number>;
  /** Instances with an attempt that has not ended. */
  active: number;
}

export interface Instance {
  readonly index: number;
  state: StepState;
  reason: string | null;
  /** In order of their numbers. */
  readonly attempts: Attempt[];
  /** Of the successful attempt, of this run or of the one that is reused, or the approval. */
  output: StepOutput | null;
  control: Control | null;
  /** When a planned retry is due, or when an approval or a wait is out of time. */
  dueAt: number | null;
  /** Null for all that waits for nothing. */
  wait: Wait | null;
  /** Null for all that no person is asked about. */
  approval: Approval | null;
  /** The run whose attempts gave it; null where it is this one. */
  reusedFrom: string | null;
  /** Failed attempts and looks so far, by whose budget they use. */
  readonly failures: { own: number; infrastructure: number; shutdown: number };
}

/** It is, or was, looked for what the step waits for. */
export interface Wait {
  readonly since: number;
  endedAt: number | null;
  /** Of the look that ended the looks for now, or for good. */
  failure: LookFailure | null;
}

/** An approval that was asked for. */
export interface Approval {
  readonly requestedAt: number;
  readonly message: string | null;
  decision: Decision | null;
}

export interface Decision {
  readonly decision: 'approve' | 'reject';
  readonly by: string;
  readonly reason: string | null;
  readonly at: number;
}

export interface Attempt {
  readonly number: number;
  readonly startedAt: number;
  runningAt: number | null;
  place: string | null;
  /** Null where the step has no cache, or it was not looked yet. */
  cache: CacheLook | null;
  finishedAt: number | null;
  outcome: AttemptOutcome | null;
  usage: Usage | null;
  /** A report that came too late was recorded; further ones are dropped, so that repeats cannot fill the journal. */
  lateReport: boolean;
}

export const finalStepStates: ReadonlySet<StepState> = new Set<StepState>(stepEnds);
