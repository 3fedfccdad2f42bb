/**
 * Each run is what its definition says, by the model of `test/support/step-model.ts` and what its attempts, waits and
 * approvals came to: no step starts before what it is after, each instance of a map runs, and the states at the end are the
 * model's.
 */
import type { RunEvent } from '../../src/engine/event.ts';
import type { Binding, StepDefinition, Work } from '../../src/pipeline/definition.ts';
import { isJsonObject, type Json } from '../../src/std/json.ts';
import { endedIn, modelOf, modelRunState, startsTooEarly, type Plan, type StepStates } from '../support/step-model.ts';
import { endedOtherwise } from './awaited.ts';
import type { KeptRun } from './history.ts';

type Ended = Extract<RunEvent, { type: 'step-finished' | 'step-reused' }>;

/** What is wrong with an event that is about to be kept; null where nothing is. */
export function wrongStep(run: KeptRun, event: RunEvent): string | null {
  if (event.type === 'run-finished') return wrongEnd(run, event.state);
  if (event.type === 'step-mapped') return wrongLength(run, event) ?? wrongStart(run, event);
  if (event.type === 'approval-requested') return wrongStart(run, event);
  if (event.type === 'attempt-started' && event.index > 0) return tooManyAtOnce(run, event.step);
  const isStart = event.type === 'attempt-started' || event.type === 'step-scheduled' || event.type === 'wait-begun';
  return isStart && event.index === 0 ? wrongStart(run, event) : null;
}

function wrongStart({ definition, events, opened }: KeptRun, { step: name }: { readonly step: string }): string | null {
  const step = definition.steps.find((each) => each.name === name);
  if (step === undefined) return `${opened.runId} started ${name}, which is none of its steps`;
  if (stopOf(events) !== null && (!step.finally || isFinallyStopped(events)))
    return `${opened.runId}/${name} started in a run that is told to end`;
  const early = startsTooEarly(definition.steps, step, (each) => endedIn(events, each));
  return early === null ? null : `${opened.runId}/${name} started before ${early} allows it`;
}

/** Instances of a map, one of which is about to start. */
function tooManyAtOnce({ definition, instances, opened }: KeptRun, name: string): string | null {
  const most = definition.steps.find((step) => step.name === name)?.map?.concurrency ?? null;
  const running = [...instances].filter(([key, { ended }]) => !ended && key.startsWith(`${name}/`)).length;
  return most === null || running < most ? null : `${opened.runId}/${name} has ${running + 1} instances at once`;
}

function wrongLength(run: KeptRun, { step, length }: Extract<RunEvent, { type: 'step-mapped' }>): string | null {
  const axes = run.definition.steps.find(({ name }) => name === step)?.map?.axes ?? [];
  const wanted = axes.reduce((product, { over }) => product * lengthOf(run, over), 1);
  return length === wanted ? null : `${run.opened.runId}/${step} has ${length} instances, not ${wanted}`;
}

/** Of a literal list, or one that another step gave. */
function lengthOf(run: KeptRun, over: Binding): number {
  const value = 'literal' in over ? over.literal : 'reference' in over ? outputAt(run, over.reference) : null;
  return Array.isArray(value) ? value.length : Number.NaN;
}

function outputAt({ events }: KeptRun, reference: Extract<Binding, { reference: unknown }>['reference']): Json {
  if (!('output' in reference)) return null;
  const given = events.findLast(
    (event) => (event.type === 'attempt-finished' || event.type === 'step-reused') && event.step === reference.output,
  );
  const output = given?.type === 'step-reused' ? given.output : outputOf(given);
  const whole = output !== null && 'inline' in output ? output.inline : null;
  return reference.path.reduce<Json>((value, key) => (isJsonObject(value) ? (value[key] ?? null) : null), whole);
}

function outputOf(event: RunEvent | undefined) {
  return event?.type === 'attempt-finished' && event.outcome.kind === 'succeeded' ? event.outcome.output : null;
}

function wrongEnd(run: KeptRun, state: string): string | null {
  const { definition, events, opened } = run;
  const name = `${opened.runId} of ${opened.pipeline}`;
  const open = definition.steps.find((step) => !endedIn(events, step).isFinal);
  if (open !== undefined) return `${name} ended before its step ${open.name}`;
  const plans = definition.steps.map((step) => planOf(run, step));
  const states = statesOf(run);
  const stop = stopOf(events);
  if (stop === null || !isFinallyStopped(events)) {
    const countsAs = stop === 'failed' ? 'failed' : 'skipped';
    const wanted = modelOf(plans, stop === null ? null : { others: states, countsAs });
    const wrong = definition.steps.find((step) => String(states[step.name]) !== String(wanted[step.name]))?.name;
    if (wrong !== undefined) return `${name}: ${wrong} is ${String(states[wrong])}, not ${String(wanted[wrong])}`;
  }
  const wanted = stop ?? modelRunState(plans, states);
  return state === wanted ? null : `${name} is ${state}, not ${wanted}`;
}

/** What a run is that is stopped; null: it is not. */
function stopOf(events: readonly RunEvent[]): 'cancelled' | 'failed' | null {
  const stop = events.find(({ type }) => type === 'cancel-requested' || type === 'run-timed-out');
  return stop === undefined ? null : stop.type === 'cancel-requested' ? 'cancelled' : 'failed';
}

function isFinallyStopped(events: readonly RunEvent[]): boolean {
  return events.some(({ type }) => type === 'finally-cancel-requested' || type === 'finally-timed-out');
}

function statesOf({ definition, events }: KeptRun): StepStates {
  return Object.fromEntries(
    definition.steps.map(({ name, map }) => {
      const ended = events.filter((event) => isEndOf(event, name));
      const mapped = map !== null && ended.every(({ index }) => index !== null);
      const inOrder = ended.toSorted((left, right) => (left.index ?? 0) - (right.index ?? 0));
      const states = inOrder.map(({ state }) => state);
      return [name, mapped ? states : String(states[0])];
    }),
  );
}

function isEndOf(event: RunEvent, name: string): event is Ended {
  return (event.type === 'step-finished' || event.type === 'step-reused') && event.step === name;
}

function planOf(run: KeptRun, definition: StepDefinition): Plan {
  const { name, map } = definition;
  const own = run.events.filter((event) => 'step' in event && event.step === name);
  const length = own.findLast((event) => event.type === 'step-mapped')?.length ?? 0;
  const ends = Array.from({ length: map === null ? 1 : length }, (_, index) => endOf(definition, own, index));
  const control = own.flatMap(controlOf).at(-1) ?? null;
  const follow = control !== null && 'follow' in control ? control.follow : [];
  return { definition, ends, follow, pass: control === null || !('pass' in control) || control.pass };
}

function controlOf(event: RunEvent) {
  if (event.type === 'step-reused') return event.control ?? [];
  return event.type === 'attempt-finished' && event.outcome.kind === 'succeeded' ? (event.outcome.control ?? []) : [];
}

/** What an instance came to by itself; `nothing`: it never ran. */
function endOf({ work }: StepDefinition, own: readonly RunEvent[], index: number): string {
  const mine = own.filter((event) => !('index' in event) || event.index === null || event.index === index);
  const given = mine.flatMap((event) => givenBy(work, event) ?? []).at(-1);
  if (given !== undefined) return given;
  const begun = mine.findLast((event) => event.type === 'wait-begun' || event.type === 'approval-requested');
  const end = mine.findLast((event) => event.type === 'step-finished');
  if (begun === undefined || end === undefined) return 'nothing';
  const isEarly = end.at < begun.dueAt && !endedOtherwise(work, end.reason);
  const neverCan = isEarly || mine.some((event) => event.type === 'look-failed' && event.cause === 'invalid');
  return 'softFail' in work && work.softFail && !neverCan ? 'skipped' : 'failed';
}

function givenBy(work: Work, event: RunEvent): string | null {
  if (event.type === 'wait-seen') return 'success';
  if (event.type === 'attempt-finished') return event.outcome.kind === 'succeeded' ? 'success' : event.outcome.kind;
  if (event.type === 'step-reused') {
    const { control, state } = event;
    return control !== null && 'pass' in control && !control.pass ? 'success' : state;
  }
  if (event.type !== 'approval-decided') return null;
  if (event.decision === 'approve') return 'success';
  return work.kind === 'approval' && work.onReject === 'skip' ? 'skipped' : 'failed';
}
