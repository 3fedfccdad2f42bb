/** Drives a run of the engine in memory: attempts end as they are told to, in any order, and every wake-up is kept. */
import { attemptsToStop, decide, evolve, nextWakeAt, open, type Command } from '../../src/engine/engine.ts';
import type { AttemptKey, AttemptOutcome, RunEvent, RunOpened, StepOutput } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { Json } from '../../src/std/json.ts';

export const openedAt = Date.UTC(2026, 0, 5, 2);

export function openedOf(given: Partial<RunOpened> = {}): RunOpened {
  return {
    type: 'run-opened',
    at: openedAt,
    runId: 'run-1',
    repository: 'models',
    pipeline: 'example',
    sha: 'a'.repeat(40),
    digest: 'd'.repeat(64),
    trigger: { kind: 'manual', actor: 'ada' },
    logicalDate: openedAt,
    dataIntervalEnd: openedAt + 86_400_000,
    parameters: {},
    ...given,
  };
}

export const outcomes = {
  succeeded: (output: Json = null): AttemptOutcome => ({
    kind: 'succeeded',
    output: { inline: output },
    control: null,
  }),
  stored: (output: StepOutput): AttemptOutcome => ({ kind: 'succeeded', output, control: null }),
  failed: (
    cause: Extract<AttemptOutcome, { kind: 'failed' }>['cause'] = 'code',
    message = 'it broke',
  ): AttemptOutcome => ({
    kind: 'failed',
    cause,
    message,
    exitCode: 1,
  }),
  skipped: (reason = 'nothing to do'): AttemptOutcome => ({ kind: 'skipped', reason }),
  follow: (...follow: string[]): AttemptOutcome => ({
    kind: 'succeeded',
    output: { inline: { follow } },
    control: { follow },
  }),
  pass: (pass: boolean, reason = 'measured'): AttemptOutcome => ({
    kind: 'succeeded',
    output: { inline: { pass } },
    control: { pass, reason },
  }),
} as const;

export interface Driven {
  readonly run: Run;
  readonly events: readonly RunEvent[];
}

export interface DriveOptions {
  readonly opened?: Partial<RunOpened>;
  /** Which of the attempts that run ends next; the first where not given. */
  readonly pick?: (count: number) => number;
  readonly slots?: number;
  /** It is cancelled after so many reports. */
  readonly cancelAfter?: number;
  /** What the run has from an earlier one. */
  readonly reused?: readonly RunEvent[];
  /** Before each command the run is thrown away and folded again from its events, as after a restart. */
  readonly forget?: boolean;
  /** Called after each decision. */
  readonly after?: (run: Run, events: readonly RunEvent[]) => void;
}

/** Runs `definition` to its end. Each report comes a second after the one before; waiting moves the clock. */
export function drive(
  definition: PipelineDefinition,
  outcomeOf: (key: AttemptKey) => AttemptOutcome,
  options: DriveOptions = {},
): Driven {
  const { pick = () => 0, slots = Number.POSITIVE_INFINITY, after } = options;
  const opened = openedOf(options.opened);
  const events: RunEvent[] = [...(options.reused ?? [])];
  let run = foldOf(definition, opened, events);
  const running: AttemptKey[] = [];
  let at = run.opened.at;
  let reserved = 0;
  const admit = (): boolean => {
    if (running.length + reserved >= slots) return false;
    reserved += 1;
    return true;
  };
  const give = (command: Command): void => {
    if (options.forget === true) run = foldOf(definition, opened, events);
    reserved = 0;
    const decided = decide(run, command);
    for (const event of decided) {
      events.push(event);
      if (event.type === 'attempt-started')
        running.push({ step: event.step, index: event.index, attempt: event.attempt });
    }
    after?.(run, decided);
  };
  give({ type: 'proceed', at, admit });
  let reports = 0;
  while (run.finishedAt === null) {
    if (reports === options.cancelAfter && run.state === 'running') {
      give({ type: 'cancel', at, by: 'ada', reason: '' });
      give({ type: 'proceed', at, admit });
      continue;
    }
    const [key] = running.splice(pick(running.length), 1);
    if (key === undefined) {
      const wakeAt = nextWakeAt(run);
      if (wakeAt === null) throw new Error('the run stands still');
      at = Math.max(at, wakeAt);
      give({ type: 'proceed', at, admit });
    } else {
      at += 1000;
      reports += 1;
      const isStopped = attemptsToStop(run).some(({ step, index }) => step === key.step && index === key.index);
      const outcome = isStopped ? outcomes.failed('cancelled') : outcomeOf(key);
      give({ type: 'report-finished', at, key, outcome, usage: null, admit });
    }
  }
  return { run, events };
}

export function foldOf(definition: PipelineDefinition, opened: RunOpened, events: readonly RunEvent[]): Run {
  const run = open(definition, opened);
  for (const event of events) evolve(run, event);
  return run;
}

/** The state of each step; of a mapped step with instances, a list. */
export function statesOf(run: Run): { [step: string]: string | string[] } {
  return Object.fromEntries(
    [...run.steps].map(([name, step]) => {
      const mapped = step.definition.map !== null && step.instances !== null && step.instances.length > 0;
      return [name, mapped ? (step.instances ?? []).map((instance) => instance.state) : step.state];
    }),
  );
}
