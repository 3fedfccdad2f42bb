/**
 * A run in memory: what the events so far add up to. It belongs to one turn at a time; `evolve` changes it in place,
 * which keeps a run of ten thousand steps linear. It is a fold of the journal and nothing else: whoever doubts it
 * throws it away and folds again.
 */
import type { PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import type { AttemptOutcome, FinalStepState, RunOpened, RunState, StepOutput, StepState, Usage } from './event.ts';

export interface Run {
  readonly definition: PipelineDefinition;
  readonly opened: RunOpened;
  /** Number of events folded in: the journal position that the next one gets. */
  position: number;
  state: RunState;
  reason: string | null;
  finishedAt: number | null;
  readonly steps: ReadonlyMap<string, Step>;
}

export interface Step {
  readonly definition: StepDefinition;
  /** Of the step as a whole: for a mapped step, what its instances add up to. */
  state: StepState;
  reason: string | null;
  /** Null until the length of a mapped step is known. Always one for a step without `map`. */
  instances: Instance[] | null;
}

export interface Instance {
  readonly index: number;
  state: StepState;
  reason: string | null;
  /** In order of their numbers. */
  readonly attempts: Attempt[];
  /** Of the successful attempt. */
  output: StepOutput | null;
  /** When a planned retry or look is due. */
  dueAt: number | null;
}

export interface Attempt {
  readonly number: number;
  readonly startedAt: number;
  runningAt: number | null;
  place: string | null;
  finishedAt: number | null;
  outcome: AttemptOutcome | null;
  usage: Usage | null;
}

export const finalStepStates: ReadonlySet<StepState> = new Set<FinalStepState>(['success', 'failed', 'skipped', 'upstream_failed', 'removed', 'cancelled']);
