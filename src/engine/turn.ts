/** One decision in the making: each event is folded as it is recorded, so that the next question sees it. */
import type { AttemptKey, FinalStepState, RunEvent } from './event.ts';
import { evolve } from './evolve.ts';
import type { Instance, Run, Step } from './run.ts';

export interface Turn {
  readonly run: Run;
  readonly at: number;
  readonly events: RunEvent[];
}

export function record(turn: Turn, event: RunEvent): void {
  evolve(turn.run, event);
  turn.events.push(event);
}

/** Ends an instance; `index` null: a step that has not begun, as a whole. */
export function finish(
  turn: Turn,
  step: Step,
  index: number | null,
  state: FinalStepState,
  reason: string | null = null,
): void {
  record(turn, { type: 'step-finished', at: turn.at, step: step.definition.name, index, state, reason });
}

/** Has the instance tried again at `dueAt`. */
export function planRetry(turn: Turn, step: Step, { index }: Instance, dueAt: number): void {
  record(turn, { type: 'retry-planned', at: turn.at, step: step.definition.name, index, dueAt });
}

/** The step, or a thrown error: whoever names it made the name from an event of this run. */
export function stepOf(run: Run, key: Pick<AttemptKey, 'step'>): Step {
  const step = run.steps.get(key.step);
  if (step === undefined) throw new Error(`run ${run.opened.runId} has no step ${key.step}`);
  return step;
}
