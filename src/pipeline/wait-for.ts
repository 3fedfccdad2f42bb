/** The words `waitFor.…`: steps that look again and again, and hold no place in between. */
import { bind, bindTemplate } from './binding.ts';
import type { StepFunction } from './build.ts';
import type { StepContext } from './context.ts';
import type { WaitWork } from './definition.ts';
import type { Handle, Input, Nothing, Resolved } from './handle.ts';
import { misuse, shown } from './misuse.ts';
import { pipelineNamePattern } from './names.ts';
import { closeStep, openStep, readFunction, type StepCall, type StepOptions } from './step-options.ts';
import { parseDuration } from '../std/duration.ts';

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

export interface WaitForPipelineOptions extends WaitOptions {
  /** Of the step; `wait-for-` and the name of the pipeline unless given. */
  readonly name?: string;
  /** The logical date of the other run: `date` unless it has another. */
  readonly date: string | Handle<string>;
  /** Moves the date: `'-1d'` waits for the run of the day before. */
  readonly shift?: string;
  /** `['success']` unless given. */
  readonly states?: readonly ('success' | 'failed')[];
}

export interface WaitUntilOptions<I extends Input> extends WaitOptions {
  readonly input?: I;
  /** Looks once: false, null or undefined is "not yet"; anything else ends the waiting. */
  readonly run: (input: Resolved<NoInfer<I>>, context: StepContext) => unknown;
}

const waitOptionNames = ['interval', 'softFail'];
const dayMs = 86_400_000;

export const waitFor = {
  /** Until there is a file at `path`. */
  file(name: string, options: WaitForFileOptions): Handle<unknown> {
    const call = openStep('waitFor.file', name, options, [...waitOptionNames, 'path']);
    if (!call.options.has('path')) call.options.missing('path');
    return closeWait(call, { condition: 'file', path: bindTemplate(call, 'path', call.options.raw('path')) });
  },

  /** Until `url` answers with `status`. */
  http(name: string, options: WaitForHttpOptions): Handle<unknown> {
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

  /** Until a run of another pipeline with the same logical date has ended. */
  pipeline(pipeline: string, options: WaitForPipelineOptions): Handle<unknown> {
    if (typeof pipeline !== 'string' || !pipelineNamePattern.test(pipeline)) {
      misuse(
        'definition-name',
        `waitFor.pipeline ${shown(pipeline)}: this is no name of a pipeline`,
        'Give the name of the other pipeline: "daily-features".',
      );
    }
    const named = typeof options === 'object' && options !== null ? options.name : undefined;
    const call = openStep('waitFor.pipeline', named ?? `wait-for-${pipeline}`, options, [
      ...waitOptionNames,
      'name',
      'date',
      'shift',
      'states',
    ]);
    if (!call.options.has('date')) call.options.missing('date');
    const states = call.options.texts('states', ['success']).map((state) => {
      return state === 'success' || state === 'failed'
        ? state
        : call.options.wrong('states', 'a list of "success" and "failed"', state);
    });
    if (states.length === 0) call.options.wrong('states', 'a list with at least one state', states);
    const date = bindTemplate(call, 'date', call.options.raw('date'));
    return closeWait(call, {
      condition: 'pipeline',
      pipeline,
      date,
      shiftMs: readShift(call),
      states: [...new Set(states)],
    });
  },

  /** Until the function says so. */
  until<I extends Input = Nothing>(name: string, options: WaitUntilOptions<I>): Handle<unknown> {
    const call = openStep('waitFor.until', name, options, [...waitOptionNames, 'input', 'run']);
    const input = bind(call, 'input', call.options.raw('input') ?? {});
    return closeWait(call, { condition: 'function', file: '', input }, readFunction(call));
  },
} as const;

function closeWait(call: StepCall, condition: WaitWork['for'], run: StepFunction | null = null): Handle<unknown> {
  const work: WaitWork = {
    kind: 'wait',
    for: condition,
    intervalMs: call.options.durationMs('interval', { minMs: 1000, maxMs: dayMs }, 60_000),
    timeoutMs: call.options.durationMs('timeout', { minMs: 1000, maxMs: 30 * dayMs }, dayMs),
    softFail: call.options.flag('softFail', false),
  };
  return closeStep(call, work, {}, run);
}

function readShift(call: StepCall): number {
  const text = call.options.text('shift', '0s');
  const back = text.startsWith('-');
  const parsed = parseDuration(back ? text.slice(1) : text);
  if (!parsed.ok) return call.options.wrong('shift', 'a duration, with "-" in front for the past, such as "-1d"', text);
  return back ? -parsed.value : parsed.value;
}
