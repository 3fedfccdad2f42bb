/** One run from its opening to its end: every step with its attempts on a clock that begins at 0. */
import type { Pools } from '../admission/admission.ts';
import type { AttemptOutcome, FailureCause, FinalRunState, RunOpened, StepState } from '../engine/event.ts';
import { memoryOfAttempt } from '../engine/engine.ts';
import type { Attempt, Instance, Run, Step } from '../engine/run.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../std/problem.ts';
import { success, type Result } from '../std/result.ts';
import { refusedBy, type VerdictKind } from '../verdict/verdict.ts';
import type { Looks, PretendedLook } from './looks.ts';
import { mistake } from './mistake.ts';
import { namedInstances, pretenceOf, type Pretences } from './pretences.ts';
import { Stage } from './stage.ts';

/** Times are milliseconds from the opening of the run. */
export interface RehearsedRun {
  readonly state: FinalRunState;
  readonly reason: string | null;
  readonly durationMs: number;
  readonly deadlineMissed: boolean;
  /** All went well, and a challenger is pretended to be one that should not be merged. */
  readonly refused: boolean;
  /** In the order of the definition. */
  readonly steps: readonly RehearsedStep[];
}

export interface RehearsedStep {
  readonly name: string;
  readonly isMapped: boolean;
  readonly state: StepState;
  readonly reason: string | null;
  /** From the start of the first attempt to the end of the last; null where there was none. */
  readonly startMs: number | null;
  readonly endMs: number | null;
  /** Empty where the step ended before it had any. */
  readonly instances: readonly RehearsedInstance[];
}

export interface RehearsedInstance {
  readonly index: number;
  readonly state: StepState;
  readonly reason: string | null;
  /** Of a challenge that ended well. */
  readonly verdict: VerdictKind | null;
  readonly attempts: readonly RehearsedAttempt[];
}

/** Or a look of a sensor. */
export interface RehearsedAttempt {
  readonly number: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly outcome: Exclude<AttemptOutcome['kind'], 'failed'> | 'not-yet' | FailureCause;
  /** What it may take; null: as much as there is. */
  readonly memoryBytes: number | null;
}

export interface RunRequest {
  readonly definition: PipelineDefinition;
  readonly pretences: Pretences;
  readonly slots: number;
  /** Slots by the name of the pool. */
  readonly pools: Pools;
  readonly logicalDate: number;
  readonly parameters: RunOpened['parameters'];
}

export function rehearseRun(request: RunRequest): Result<RehearsedRun, Problem> {
  const { definition, pretences, slots, pools, logicalDate, parameters } = request;
  let rehearsed: RehearsedRun | null = null;
  const stage = new Stage(logicalDate, {
    definition,
    pretences,
    slots,
    pools,
    ended: (run, _begunAt, looks) => {
      rehearsed = rehearsedRunOf(run, pretences, looks);
    },
  });
  stage.open({
    ...openedOf(definition, 0),
    at: logicalDate,
    trigger: { kind: 'manual', actor: 'simulate' },
    logicalDate,
    dataIntervalEnd: logicalDate,
    parameters,
  });
  const played = stage.play();
  if (!played.ok) return played;
  if (rehearsed === null) throw new Error('the pretended run has not ended');
  return checkInstances(rehearsed, pretences);
}

/** What all pretended runs share. Lanes go by the order of the ids. */
export function openedOf(
  definition: PipelineDefinition,
  number: number,
): Pick<RunOpened, 'type' | 'runId' | 'repository' | 'pipeline' | 'sha' | 'digest'> {
  const runId = `simulated-${String(number).padStart(6, '0')}`;
  return {
    type: 'run-opened',
    runId,
    repository: 'simulated',
    pipeline: definition.name,
    sha: '0'.repeat(40),
    digest: '0'.repeat(64),
  };
}

/** An instance of which something was pretended, and that there is not. How many there are is known only now. */
function checkInstances(run: RehearsedRun, pretences: Pretences): Result<RehearsedRun, Problem> {
  for (const { step: name, index } of namedInstances(pretences)) {
    const length = run.steps.find((step) => step.name === name)?.instances.length ?? 0;
    if (length === 0 || index < length) continue;
    const has = length === 1 ? 'one instance, 0' : `${length} instances, 0 to ${length - 1}`;
    return mistake(`step "${name}" has no instance ${index}`, `It has ${has}.`);
  }
  return success(run);
}

/** Of a run that has ended. */
export function rehearsedRunOf(run: Run, pretences: Pretences, looks: Looks): RehearsedRun {
  const { state, reason, opened, finishedAt, deadlineMissed } = run;
  if (state === 'running' || state === 'cancelling' || finishedAt === null) {
    throw new Error(`the pretended run ${opened.runId} is ${state}`);
  }
  const steps = [...run.steps.values()].map((step) => rehearsedStepOf(run, step, pretences, looks));
  const verdicts = steps.flatMap((step) => step.instances.flatMap((instance) => instance.verdict ?? []));
  const refused = state === 'success' && refusedBy(verdicts) !== null;
  return { state, reason, durationMs: finishedAt - opened.at, deadlineMissed, refused, steps };
}

function rehearsedStepOf(run: Run, step: Step, pretences: Pretences, looks: Looks): RehearsedStep {
  const instances = (step.instances ?? []).map((instance) =>
    rehearsedInstanceOf(run, step, instance, pretences, looks),
  );
  const attempts = instances.flatMap((instance) => instance.attempts);
  const { definition, state, reason } = step;
  return {
    name: definition.name,
    isMapped: definition.map !== null,
    state,
    reason,
    startMs: attempts.reduce<number | null>((first, { startMs }) => Math.min(first ?? startMs, startMs), null),
    endMs: attempts.reduce<number | null>((last, { endMs }) => Math.max(last ?? endMs, endMs), null),
    instances,
  };
}

function rehearsedInstanceOf(
  run: Run,
  step: Step,
  instance: Instance,
  pretences: Pretences,
  looks: Looks,
): RehearsedInstance {
  const { index, state, reason } = instance;
  const key = { step: step.definition.name, index, attempt: instance.attempts.length };
  const pretence = state === 'success' ? pretenceOf(pretences, step.definition, key) : null;
  const verdict = pretence?.kind === 'verdict' ? pretence.verdict : null;
  const attempts = [
    ...instance.attempts.map((attempt) => ({
      ...rehearsedAttemptOf(run, attempt),
      memoryBytes: memoryOfAttempt(step, instance, attempt.number),
    })),
    ...looks.of(run.opened.runId, step.definition.name, index).map((look) => rehearsedLookOf(run, look)),
  ];
  return { index, state, reason, verdict, attempts };
}

function rehearsedLookOf({ opened }: Run, { number, startedAt, finishedAt, outcome }: PretendedLook): RehearsedAttempt {
  return { number, startMs: startedAt - opened.at, endMs: finishedAt - opened.at, outcome, memoryBytes: null };
}

function rehearsedAttemptOf(
  run: Run,
  { number, startedAt, finishedAt, outcome }: Attempt,
): Omit<RehearsedAttempt, 'memoryBytes'> {
  if (finishedAt === null || outcome === null) throw new Error('the pretended run ended before one of its attempts');
  const { at } = run.opened;
  const ended = outcome.kind === 'failed' ? outcome.cause : outcome.kind;
  return { number, startMs: startedAt - at, endMs: finishedAt - at, outcome: ended };
}
