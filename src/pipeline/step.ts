/** The word `step`: work by a function of the file, or by a command. */
import { closeStep, openStep, readFunction, readInput, type StepOptions } from './step-options.ts';
import { readCommand, readEnvironment, readOutputs, type OutputOptions, type Outputs, type Text } from './command.ts';
import type { StepContext } from './context.ts';
import type { Handle, Input, Nothing, Resolved } from './handle.ts';

/** Whether the output of an earlier run may stand for doing the same work again. */
export interface CacheOptions {
  /**
   * The same work has the same definition, code and inputs. Whatever else a step looks at (the date, a file elsewhere, a
   * table) is not seen: give it as an input.
   */
  readonly cache?:
    | boolean
    | {
        /** How long: `'7d'`. For good unless given. */
        readonly for?: string;
        /** Globs of the files that count as its code. All files of the commit unless given. */
        readonly paths?: readonly string[];
      };
}

/** A step that is a function of this file. Only the runner calls it, with the values of the handles in `input`. */
export interface FunctionStepOptions<I extends Input, Output> extends StepOptions, CacheOptions {
  readonly input?: I;
  readonly run: (input: Resolved<NoInfer<I>>, context: StepContext) => Output | Promise<Output>;
}

/** A step that is a program with arguments; no shell reads them. */
export interface CommandStepOptions<O extends OutputOptions> extends StepOptions, CacheOptions {
  readonly command: readonly Text[];
  readonly env?: { readonly [name: string]: Text };
  /** What it writes as JSON: on the last line of standard output, or in the file $CONTENDER_OUTPUTS. */
  readonly outputs?: O;
}

/** Adds a step and gives the handle of its output; using the handle in another step is the edge. */
export function step<const O extends OutputOptions = Nothing>(
  name: string,
  options: CommandStepOptions<O>,
): Handle<Outputs<O>>;
export function step<I extends Input = Nothing, Output = unknown>(
  name: string,
  options: FunctionStepOptions<I, Output>,
): Handle<Output>;
export function step(
  name: string,
  options: CommandStepOptions<OutputOptions> | FunctionStepOptions<Input, unknown>,
): Handle<unknown> {
  return typeof options === 'object' && options !== null && 'command' in options
    ? commandStep(name, options)
    : functionStep(name, options);
}

function functionStep(name: string, options: unknown): Handle<unknown> {
  const call = openStep('step', name, options, ['input', 'run', 'cache', 'command', 'env', 'outputs']);
  if (!call.options.has('run'))
    call.options.problem(
      'option "run" or "command" is missing',
      'Give the step a function with `run`, or a program and its arguments with `command`.',
    );
  const run = readFunction(call);
  for (const foreign of ['env', 'outputs']) {
    if (call.options.has(foreign))
      call.options.problem(
        `option "${foreign}" belongs to commands`,
        'A function takes `input` and returns its output.',
      );
  }
  return closeStep(call, { kind: 'function', file: '', input: readInput(call) }, {}, run);
}

function commandStep(name: string, options: unknown): Handle<unknown> {
  const call = openStep('step', name, options, ['command', 'env', 'outputs', 'cache', 'input', 'run']);
  for (const foreign of ['input', 'run']) {
    if (call.options.has(foreign))
      call.options.problem(
        `option "${foreign}" belongs to functions`,
        'A command takes arguments and `env`; give either `command` or `run`.',
      );
  }
  const command = readCommand(call, call.options, 'command');
  const environment = readEnvironment(call, call.options);
  return closeStep(call, { kind: 'command', command, environment }, readOutputs(call.options));
}
