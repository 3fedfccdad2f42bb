/** A run as the journal has it. */
import { evolve, open } from '../../engine/engine.ts';
import type { AttemptKey, RunEvent, RunOpened } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import type { PipelineDefinition, StepDefinition } from '../../pipeline/definition.ts';

/** What the journal holds of a run is no run. */
export class BrokenRun extends Error {}

/** Throws a `BrokenRun` where that cannot be. */
export function fold(opened: RunOpened, events: readonly RunEvent[], definition: PipelineDefinition | null): Run {
  if (definition === null)
    throw new BrokenRun(`the definition ${opened.digest} of run ${opened.runId} is not in the journal`);
  try {
    const run = open(definition, opened);
    for (const event of events) evolve(run, event);
    return run;
  } catch (error) {
    throw new BrokenRun(`run ${opened.runId} cannot be folded: ${String(error)}`, { cause: error });
  }
}

/** The step of an attempt that the run has. */
export function stepOf(run: Run, key: Pick<AttemptKey, 'step'>): StepDefinition {
  const step = run.steps.get(key.step);
  if (step === undefined) throw new BrokenRun(`run ${run.opened.runId} has no step ${key.step}`);
  return step.definition;
}
