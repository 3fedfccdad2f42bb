/** Parameters of a pipeline: typed values that a run is started with. */
import type { ParameterDefinition } from './definition.ts';
import type { Handle } from './handle.ts';
import { OptionReader } from './options.ts';
import { shown } from './misuse.ts';

type ParameterValue = string | number | boolean;

/** A default value by itself, or a description of the parameter. */
export type ParameterOption =
  | ParameterValue
  | {
      readonly type: 'string';
      readonly default?: string;
      readonly description?: string;
      readonly choices?: readonly string[];
    }
  | {
      readonly type: 'number';
      readonly default?: number;
      readonly description?: string;
      readonly choices?: readonly number[];
    }
  | { readonly type: 'boolean'; readonly default?: boolean; readonly description?: string };

export type ParameterOptions = { readonly [name: string]: ParameterOption };

/** Handles of the parameters, by name. */
export type ParameterHandles<P extends ParameterOptions> = {
  readonly [Name in keyof P]: Handle<ParameterType<P[Name]>>;
};

type ParameterType<P extends ParameterOption> = P extends string | { readonly type: 'string' }
  ? string
  : P extends number | { readonly type: 'number' }
    ? number
    : P extends boolean | { readonly type: 'boolean' }
      ? boolean
      : never;

const parametersMax = 64;

export function readParameters(options: OptionReader, label: string): { readonly [name: string]: ParameterDefinition } {
  const entries = options.record('parameters');
  if (entries.length > parametersMax)
    options.wrong('parameters', `at most ${parametersMax} parameters`, `${entries.length} parameters`);
  return Object.fromEntries(entries.map(([name, value]) => [name, readParameter(label, name, value)]));
}

function readParameter(label: string, name: string, value: unknown): ParameterDefinition {
  const type = typeOf(value);
  if (type !== null) return { type, default: value as ParameterValue, description: null, choices: null };
  const options = new OptionReader(label, value, ['type', 'default', 'description', 'choices'], `parameters.${name}.`);
  if (!options.has('type')) options.missing('type');
  const declared = options.choice('type', ['string', 'number', 'boolean'], 'string');
  const fallback = options.raw('default') ?? null;
  if (fallback !== null && typeOf(fallback) !== declared) options.wrong('default', `a ${declared}`, fallback);
  const choices = readChoices(options, declared);
  if (choices !== null && fallback !== null && !choices.some((choice) => choice === fallback)) {
    options.problem(
      `the default ${shown(fallback)} of parameter "${name}" is not one of its choices`,
      `It may be ${choices.join(', ')}.`,
    );
  }
  return {
    type: declared,
    default: fallback as ParameterValue | null,
    description: options.text('description', null),
    choices,
  };
}

function readChoices(options: OptionReader, type: ParameterDefinition['type']): ParameterDefinition['choices'] {
  const value = options.raw('choices');
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || value.length === 0 || type === 'boolean')
    return options.wrong('choices', `a list of values of type ${type}`, value);
  return value.map((choice: unknown): string | number => {
    if (typeof choice === 'string' && type === 'string') return choice;
    if (typeof choice === 'number' && Number.isFinite(choice) && type === 'number') return choice;
    return options.wrong('choices', `a list of values of type ${type}`, choice);
  });
}

function typeOf(value: unknown): ParameterDefinition['type'] | null {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'number' && Number.isFinite(value) ? 'number' : null;
}
