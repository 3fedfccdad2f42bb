/** The words `waitFor.…`: steps that look again and again, and hold nothing in between. */
import { bind, bindTemplate } from './binding.ts';
import type { StepFunction } from './build.ts';
import type { FunctionContext } from './context.ts';
import {
  awaitedRunStates,
  awaitedStepStates,
  endStates,
  type AwaitedRunState,
  type AwaitedStepState,
  type EndState,
  type Template,
  type WaitWork,
} from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import type { Handle, Input, Nothing, Resolved } from './handle.ts';
import { misuse, shown } from './misuse.ts';
import { pipelineNamePattern, stepNamePattern } from './names.ts';
import { closeStep, openStep, readFunction, type StepCall, type StepOptions } from './step-options.ts';
import { parseDuration, writeDuration } from '../std/duration.ts';
import { bucketMistake, parseObjectAddress } from '../std/object-address.ts';

/** How it looks; `timeout` is the time from the first look, 1 d unless given. */
export interface WaitOptions extends StepOptions {
  /** Between two looks. 1 min unless given. */
  readonly interval?: string;
  /** When the time is over the step is skipped; otherwise it fails. */
  readonly softFail?: boolean;
}

export interface WaitForFileOptions extends WaitOptions {
  readonly path: string | Handle<string>;
}

export interface WaitForHttpOptions extends WaitOptions {
  /** `http:` or `https:`. */
  readonly url: string | Handle<string>;
  /** What it has to answer. 200 unless given. */
  readonly status?: number;
}

export interface WaitForObjectOptions extends WaitOptions {
  /** `s3://bucket/key`; with `/` at its end any object below it, with `*` in it any that it matches. */
  readonly url: string | Handle<string>;
  /** One of `objectStores` in `contender.yaml`. The only one unless given. */
  readonly store?: string;
}

interface WaitForRunOptions extends WaitOptions {
  /**
   * The date of the other run: `date` is any moment of that day (UTC), `timestamp`, or whatever else has a time, exactly
   * that logical date.
   */
  readonly date: string | Handle<string>;
  /** Moves the date: `'-1d'` waits for the run of the day before. */
  readonly shift?: string;
}

export interface WaitForPipelineOptions extends WaitForRunOptions {
  /** Of the step; `wait-for-` and the name of the pipeline unless given. */
  readonly name?: string;
  /** `['success']` unless given. */
  readonly states?: readonly AwaitedRunState[];
  /** In one of these the waiting ends at once: the step fails, or is skipped where `softFail`. None unless given. */
  readonly failStates?: readonly EndState[];
}

export interface WaitForStepOptions extends WaitForRunOptions {
  /** Of this step; `wait-for-` and the names of the pipeline and of its step unless given. */
  readonly name?: string;
  /** `['success']` unless given. */
  readonly states?: readonly AwaitedStepState[];
  /** In one of these the waiting ends at once: this step fails, or is skipped where `softFail`. None unless given. */
  readonly failStates?: readonly (AwaitedStepState | 'cancelled')[];
}

export interface WaitUntilOptions<I extends Input, Found> extends WaitOptions {
  readonly input?: I;
  /** Looks once, in five minutes at most: false, null or undefined is "not yet"; anything else ends the waiting. What it throws is a failure. */
  readonly run: (input: Resolved<NoInfer<I>>, context: FunctionContext) => Found | Promise<Found>;
}

/** What a wait has seen, as its output. */
export interface FileSeen {
  readonly path: string;
  readonly bytes: number;
}

export interface AddressSeen {
  readonly url: string;
  readonly status: number;
}

export interface ObjectSeen {
  /** `s3://bucket/key`, of the one that was found. */
  readonly url: string;
  readonly bytes: number;
  /** As the store gives them, or null. */
  readonly etag: string | null;
  readonly modified: string | null;
}

export interface RunSeen {
  readonly runId: string;
  readonly state: AwaitedRunState;
}

export interface StepSeen {
  readonly runId: string;
  readonly step: string;
  readonly state: AwaitedStepState;
}

const waitOptionNames = ['interval', 'softFail'];
const runOptionNames = [...waitOptionNames, 'name', 'date', 'shift', 'states', 'failStates'];
const dayMs = 86_400_000;

export const waitFor = {
  /** Until there is a file at `path`. */
  file(name: string, options: WaitForFileOptions): Handle<FileSeen> {
    const call = openStep('waitFor.file', name, options, [...waitOptionNames, 'path']);
    if (!call.options.has('path')) call.options.missing('path');
    if (call.options.raw('path') === '') call.options.wrong('path', 'a path such as "data/rows.csv"', '');
    return closeWait(call, { condition: 'file', path: bindTemplate(call, 'path', call.options.raw('path')) });
  },

  /** Until `url` answers with `status`. */
  http(name: string, options: WaitForHttpOptions): Handle<AddressSeen> {
    const call = openStep('waitFor.http', name, options, [...waitOptionNames, 'url', 'status']);
    const url = bindTemplate(call, 'url', call.options.raw('url') ?? call.options.missing('url'));
    const start = typeof url === 'string' ? url : url[0];
    if (typeof start === 'string' && !/^https?:\/\//.test(start))
      call.options.wrong('url', 'an address that begins with http:// or https://', start);
    return closeWait(call, {
      condition: 'http',
      url,
      status: call.options.number('status', { min: 100, max: 599, integer: true }, 200),
    });
  },

  /** Until there is an object in an S3-compatible store. */
  object(name: string, options: WaitForObjectOptions): Handle<ObjectSeen> {
    const call = openStep('waitFor.object', name, options, [...waitOptionNames, 'url', 'store']);
    const url = bindTemplate(call, 'url', call.options.raw('url') ?? call.options.missing('url'));
    const start = typeof url === 'string' ? url : url[0];
    if (typeof start === 'string') demandObject(call, start, start === url);
    const store = call.options.has('store') ? call.options.text('store', '') : null;
    if (store !== null && !pipelineNamePattern.test(store))
      call.options.wrong('store', 'the name of an object store in contender.yaml', store);
    return closeWait(call, { condition: 'object', url, store });
  },

  /** Until the newest run of another pipeline for that date is in one of the states. */
  pipeline(pipeline: string, options: WaitForPipelineOptions): Handle<RunSeen> {
    demandName('waitFor.pipeline', pipeline, pipelineNamePattern, 'pipeline', 'daily-features');
    const call = openStep('waitFor.pipeline', nameIn(options) ?? `wait-for-${pipeline}`, options, runOptionNames);
    const states = readStates(call, awaitedRunStates);
    return closeWait(call, {
      condition: 'pipeline',
      pipeline,
      ...readDate(call),
      states,
      ...readFailStates(call, endStates, states),
    });
  },

  /** Until a step in the newest run of another pipeline for that date is in one of the states. */
  step(pipeline: string, step: string, options: WaitForStepOptions): Handle<StepSeen> {
    demandName('waitFor.step', pipeline, pipelineNamePattern, 'pipeline', 'daily-features');
    demandName('waitFor.step', step, stepNamePattern, 'step', 'prepare/clean');
    const name = nameIn(options) ?? `wait-for-${pipeline}-${step.replaceAll('/', '-')}`;
    const call = openStep('waitFor.step', name, options, runOptionNames);
    const states = readStates(call, awaitedStepStates);
    return closeWait(call, {
      condition: 'step',
      pipeline,
      step,
      ...readDate(call),
      states,
      ...readFailStates(call, [...awaitedStepStates, 'cancelled'], states),
    });
  },

  /** Until the function says so. */
  until<I extends Input = Nothing, Found = unknown>(
    name: string,
    options: WaitUntilOptions<I, Found>,
  ): Handle<Exclude<Found, false | null | undefined>> {
    const call = openStep('waitFor.until', name, options, [...waitOptionNames, 'input', 'run']);
    const input = bind(call, 'input', call.options.raw('input') ?? {});
    return closeWait(call, { condition: 'function', file: '', input }, readFunction(call));
  },
} as const;

function closeWait<Seen>(call: StepCall, condition: WaitWork['for'], run: StepFunction | null = null): Handle<Seen> {
  const work: WaitWork = {
    kind: 'wait',
    for: condition,
    intervalMs: call.options.durationMs('interval', { minMs: 1000, maxMs: dayMs }, 60_000),
    timeoutMs: call.options.durationMs('timeout', { minMs: 1000, maxMs: 30 * dayMs }, dayMs),
    softFail: call.options.flag('softFail', false),
  };
  return closeStep(call, work, {}, run);
}

/** `start`: of the address, up to what only a run knows. */
function demandObject({ options }: StepCall, start: string, isWhole: boolean): void {
  if (!start.startsWith('s3://')) options.wrong('url', 'an address such as s3://bucket/key', start);
  const [, bucket] = /^s3:\/\/([^/]*)\//.exec(start) ?? [];
  const parsed = isWhole ? parseObjectAddress(start) : null;
  const mistake = parsed?.ok === false ? parsed.error : bucket === undefined ? null : bucketMistake(bucket);
  if (mistake !== null) options.problem(`option "url": ${mistake}`, 'Write it as s3://bucket/key.');
}

function demandName(word: string, name: unknown, pattern: RegExp, what: string, example: string): void {
  if (typeof name === 'string' && pattern.test(name)) return;
  const message = `${word} ${shown(name)}: this is no name of a ${what}`;
  misuse('definition-name', message, `Give the name of the other ${what}: "${example}".`);
}

function nameIn(options: unknown): string | undefined {
  const name = typeof options === 'object' && options !== null && 'name' in options ? options.name : undefined;
  return typeof name === 'string' ? name : undefined;
}

function readStates<State extends string>(call: StepCall, known: readonly State[], name = 'states'): State[] {
  const states = call.options.texts(name, ['success']).map((given) => {
    const state = known.find((each) => each === given);
    return state ?? call.options.wrong(name, `a list of ${known.map((each) => `"${each}"`).join(', ')}`, given);
  });
  if (states.length === 0) call.options.wrong(name, 'a list with at least one state', states);
  return [...new Set(states)];
}

function readFailStates<State extends string>(
  call: StepCall,
  known: readonly State[],
  states: readonly string[],
): { readonly failStates?: State[] } {
  if (!call.options.has('failStates')) return {};
  const failStates = readStates(call, known, 'failStates');
  const both = failStates.find((state) => states.includes(state));
  if (both !== undefined)
    call.options.problem(
      `options "states" and "failStates" both have "${both}"`,
      'A state lets the step go on or ends the waiting: take it out of one of them.',
    );
  return { failStates };
}

function readDate(call: StepCall): { readonly date: Template; readonly shiftMs: number } {
  // Used before there was a call to say what is wrong with it.
  if (call.options.has('name')) call.options.text('name', '');
  if (!call.options.has('date')) call.options.missing('date');
  return { date: bindTemplate(call, 'date', call.options.raw('date')), shiftMs: readShift(call) };
}

function readShift(call: StepCall): number {
  const text = call.options.text('shift', '0s');
  const back = text.startsWith('-');
  const parsed = parseDuration(back ? text.slice(1) : text);
  if (!parsed.ok) return call.options.wrong('shift', 'a duration, with "-" in front for the past, such as "-1d"', text);
  const { shiftMsMax } = definitionLimits;
  if (parsed.value > shiftMsMax) return call.options.wrong('shift', `at most ${writeDuration(shiftMsMax)}`, text);
  return back ? -parsed.value : parsed.value;
}
