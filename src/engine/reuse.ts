/**
 * What a re-run takes over from an earlier run. The steps that run again are those that were asked for and all that
 * comes after them, so what stands before a reused step is reused too; a finally-step comes after everything that is
 * not one. Of a mapped step that begins the re-run of what failed, only the instances that did not succeed run again. At another commit the approvals are asked for again: a person said yes to the one that was there. The new run begins with the reused steps at their end, as events of its own: branches, short circuits and
 * gates have their effect, outputs and artifacts are read as ever, and nothing of the earlier run is asked again.
 */
import type { PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import { canonicalJson, type Json } from '../std/json.ts';
import { failure, success, type Result } from '../std/result.ts';
import type { FinalStepState, RerunSteps, RunEvent, StepState } from './event.ts';
import { finalStepStates, type Instance, type Run, type Step } from './run.ts';

/** A step of an earlier run that stands for the one of the same name. */
export interface Reused {
  readonly step: Step;
  /** Those that stand: all of them, or of a mapped step some. */
  readonly instances: readonly Instance[];
  /** Of the step as a whole; null where some of its instances run again. */
  readonly state: FinalStepState | null;
  /** The run whose attempts gave it, where its instances do not say so. */
  readonly runId: string;
}

/**
 * The steps of `earlier`, which has ended, that stand in a run of `definition` at the commit `sha`, in its order. The error is a sentence: no
 * such step, nothing to begin at, or a step that cannot be reused.
 */
export function planReuse(
  { definition, sha }: { readonly definition: PipelineDefinition; readonly sha: string },
  earlier: Run,
  steps: RerunSteps,
): Result<readonly Reused[], string> {
  if (steps === 'all') return success([]);
  const again = stepsAgain(definition, earlier, steps, sha !== earlier.opened.sha);
  if (!again.ok) return again;
  const reused: Reused[] = [];
  for (const step of definition.steps) {
    const before = earlier.steps.get(step.name);
    if (before === undefined) continue;
    if (again.value.all.has(step.name)) {
      const part = steps === 'failed' && again.value.first.has(step.name) ? reusePart(step, before, earlier) : null;
      if (part !== null) reused.push(part);
      continue;
    }
    const stands = reuse(step, before, earlier.opened.runId);
    if (!stands.ok) return stands;
    reused.push(stands.value);
  }
  return success(reused);
}

/** As the new run records it, right after its opening. */
export function reuseEvents(reused: readonly Reused[], at: number): RunEvent[] {
  return reused.flatMap(({ step, instances, state, runId }) => {
    const { name, map } = step.definition;
    const mapped: RunEvent[] =
      map === null || step.instances === null
        ? []
        : [{ type: 'step-mapped', at, step: name, length: step.instances.length }];
    const one = { type: 'step-reused', at, step: name } as const;
    if (instances.length === 0 && state !== null)
      return [...mapped, { ...one, runId, index: null, state, reason: step.reason, output: null, control: null }];
    const each = instances.flatMap(({ index, state: end, reason, output, control, reusedFrom }): RunEvent[] => {
      if (!isFinal(end)) return [];
      return [{ ...one, runId: reusedFrom ?? runId, index, state: end, reason, output, control }];
    });
    return [...mapped, ...each];
  });
}

/** Names of the steps to run (`first`: for no other step's sake): the first ones, those that the earlier run does not know, approvals of another commit, and all after them. */
function stepsAgain(
  definition: PipelineDefinition,
  earlier: Run,
  steps: Exclude<RerunSteps, 'all'>,
  isElsewhere: boolean,
): Result<{ readonly all: ReadonlySet<string>; readonly first: ReadonlySet<string> }, string> {
  const isFirst = firstOf(definition, earlier, steps);
  if (!isFirst.ok) return isFirst;
  const again = new Set<string>();
  const first = new Set<string>();
  const last = new Set<string>();
  // The order of the definition is topological.
  for (const { name, work, upstream, finally: isLast } of definition.steps) {
    if (isLast || upstream.some((before) => last.has(before))) last.add(name);
    const isAsked = isElsewhere && work.kind === 'approval';
    const isAfter = upstream.some((before) => again.has(before));
    if (isAsked || isFirst.value(name) || isAfter) again.add(name);
    if (!isAfter && again.has(name)) first.add(name);
  }
  if ([...again].some((name) => !last.has(name)))
    for (const name of last) {
      again.add(name);
      first.delete(name);
    }
  return success({ all: again, first });
}

function firstOf(
  definition: PipelineDefinition,
  { steps: before, opened: { runId } }: Run,
  steps: Exclude<RerunSteps, 'all'>,
): Result<(name: string) => boolean, string> {
  const names = definition.steps.map(({ name }) => name);
  const isNew = (name: string): boolean => !before.has(name);
  if (steps !== 'failed') {
    const { from } = steps;
    return names.includes(from)
      ? success((name) => name === from || isNew(name))
      : failure(`there is no step "${from}"; there: ${names.join(', ')}`);
  }
  const isFailed = (name: string): boolean => isNew(name) || !isDone(before.get(name)?.state ?? 'none');
  return names.some(isFailed)
    ? success(isFailed)
    : failure(`no step of run ${runId} failed or was left out, so there is none to begin at: run it again as a whole`);
}

/** Whether a step came to what it was meant to come to. */
function isDone(state: StepState): boolean {
  return state === 'success' || state === 'skipped' || state === 'removed';
}

function reuse(step: StepDefinition, before: Step, runId: string): Result<Reused, string> {
  const { state } = before;
  const named = `the step "${step.name}"`;
  // Nothing follows from a cancelled step, so that what comes after it would run without it.
  if (!isFinal(state) || state === 'cancelled')
    return failure(`${named} has no end in run ${runId} that could be reused: begin at it, or at the failed steps`);
  if (textOf(step) !== textOf(before.definition))
    return failure(`${named} was defined otherwise in run ${runId}, so it cannot be reused: begin at it, or run all`);
  return success({ step: before, instances: before.instances ?? [], state, runId: before.reusedFrom ?? runId });
}

/** The instances that came to what they were meant to; null where there are none, or the step is another. */
function reusePart(step: StepDefinition, before: Step, { opened: { runId } }: Run): Reused | null {
  if (step.map === null || textOf(step) !== textOf(before.definition)) return null;
  const instances = (before.instances ?? []).filter(({ state }) => isDone(state));
  return instances.length === 0 ? null : { step: before, instances, state: null, runId };
}

function isFinal(state: StepState): state is FinalStepState {
  return finalStepStates.has(state);
}

/** Definitions are plain data; their interfaces only lack the index signature that `Json` has. */
function textOf(step: StepDefinition): string {
  return canonicalJson(step as unknown as Json);
}
