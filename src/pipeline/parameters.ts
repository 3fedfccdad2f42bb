/** Parameters of a pipeline: typed values that a run is started with. */
import type { Handle } from './handle.ts';
import { OptionReader } from './options.ts';
import { misuse, shown } from './misuse.ts';
import {
  itemTypes,
  parameterItemsMax,
  parameterTypes,
  parseParameterValue,
  type ParameterDefinition,
  type ParameterValue,
} from './parameter.ts';

interface Described<Value> {
  readonly default?: Value;
  readonly description?: string;
}

interface TextRules {
  readonly choices?: readonly string[];
  /** In characters, both included. */
  readonly minLength?: number;
  readonly maxLength?: number;
}

interface NumberRules {
  readonly choices?: readonly number[];
  /** Both included. */
  readonly min?: number;
  readonly max?: number;
}

interface ListRules {
  readonly minItems?: number;
  /** 1000 unless given. */
  readonly maxItems?: number;
}

/** A default value by itself, or a description of the parameter; the rules of a list's items are those of each. */
export type ParameterOption =
  | ParameterValue
  | ({ readonly type: 'string' } & Described<string> & TextRules)
  | ({ readonly type: 'number' } & Described<number> & NumberRules)
  | ({ readonly type: 'boolean' } & Described<boolean>)
  | ({ readonly type: 'list'; readonly items: 'string' } & Described<readonly string[]> & TextRules & ListRules)
  | ({ readonly type: 'list'; readonly items: 'number' } & Described<readonly number[]> & NumberRules & ListRules);

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
      : P extends readonly string[] | { readonly type: 'list'; readonly items: 'string' }
        ? readonly string[]
        : P extends readonly number[] | { readonly type: 'list'; readonly items: 'number' }
          ? readonly number[]
          : never;

const parametersMax = 64;
const textLengthMax = 2000;
const bounds = ['min', 'max', 'minLength', 'maxLength', 'minItems', 'maxItems'] as const;
const optionNames = ['type', 'items', 'default', 'description', 'choices', ...bounds];

export function readParameters(options: OptionReader, label: string): { readonly [name: string]: ParameterDefinition } {
  const entries = options.record('parameters');
  if (entries.length > parametersMax)
    options.wrong('parameters', `at most ${parametersMax} parameters`, `${entries.length} parameters`);
  return Object.fromEntries(entries.map(([name, value]) => [name, readParameter(label, name, value)]));
}

function readParameter(label: string, name: string, value: unknown): ParameterDefinition {
  const short = shortForm(value);
  if (short !== null) return short;
  if (Array.isArray(value))
    misuse(
      'definition-option',
      `${label}: the parameter "${name}" is ${shown(value)}, and its items are not of one type`,
      "Give it texts or numbers, or say what an empty one holds: { type: 'list', items: 'string', default: [] }.",
    );
  const options = new OptionReader(label, value, optionNames, `parameters.${name}.`);
  if (!options.has('type')) options.missing('type');
  const type = options.choice('type', parameterTypes, 'string');
  if (type === 'list' && !options.has('items')) options.missing('items');
  const items = type === 'list' ? options.choice('items', itemTypes, 'string') : null;
  demandOwnOptions(options, name, type, items ?? type);
  const definition: ParameterDefinition = {
    type,
    default: null,
    description: options.text('description', null),
    choices: readChoices(options, items ?? type),
    ...(items === null ? {} : { items }),
    ...readBounds(options),
  };
  const fallback = options.raw('default') ?? null;
  return fallback === null ? definition : { ...definition, default: readDefault(options, name, definition, fallback) };
}

/** A default by itself. */
function shortForm(value: unknown): ParameterDefinition | null {
  const common = { description: null, choices: null } as const;
  const type = scalarType(value);
  if (type !== null) return { type, default: value as ParameterValue, ...common };
  if (!Array.isArray(value) || value.length === 0 || value.length > parameterItemsMax) return null;
  const items = itemTypes.find((each) => value.every((item) => scalarType(item) === each));
  return items === undefined ? null : { type: 'list', default: [...value] as string[] | number[], ...common, items };
}

/** Of its own type already, and not only where it could be read as that. */
function readDefault(
  options: OptionReader,
  name: string,
  definition: ParameterDefinition,
  value: unknown,
): ParameterValue {
  const { type, items } = definition;
  const isOfType =
    type === 'list'
      ? Array.isArray(value) && value.every((item) => scalarType(item) === items)
      : scalarType(value) === type;
  if (!isOfType) return options.wrong('default', type === 'list' ? `a list of ${items}s` : `a ${type}`, value);
  const parsed = parseParameterValue(definition, value);
  if (parsed.ok) return parsed.value;
  return options.problem(
    `the default of parameter "${name}" ${parsed.error}`,
    'Change the default or the rule: who gives nothing is given the default.',
  );
}

function demandOwnOptions(
  options: OptionReader,
  name: string,
  type: ParameterDefinition['type'],
  itemType: ParameterDefinition['type'],
): void {
  const owners = { min: 'number', max: 'number', minLength: 'string', maxLength: 'string' } as const;
  for (const [option, owner] of Object.entries(owners))
    if (options.has(option) && itemType !== owner) foreign(options, name, option, `${owner}s`);
  for (const option of ['items', 'minItems', 'maxItems'])
    if (options.has(option) && type !== 'list') foreign(options, name, option, 'lists');
}

function foreign(options: OptionReader, name: string, option: string, owners: string): never {
  return options.problem(
    `option "parameters.${name}.${option}" is for ${owners}`,
    'Take it out, or give the parameter the other type.',
  );
}

function readBounds(options: OptionReader): Pick<ParameterDefinition, (typeof bounds)[number]> {
  const lengths = { min: 0, max: textLengthMax, integer: true };
  const counts = { min: 0, max: parameterItemsMax, integer: true };
  const ranges = [{}, {}, lengths, lengths, counts, counts];
  const read = bounds.map((name, place) => options.number(name, ranges[place] ?? {}, null));
  for (const place of [0, 2, 4]) {
    const [low = null, high = null] = [read[place], read[place + 1]];
    if (low === null || high === null || low <= high) continue;
    options.wrong(bounds[place] ?? '', `at most ${bounds[place + 1]}, which is ${high}`, low);
  }
  return Object.fromEntries(bounds.flatMap((name, place) => (read[place] === null ? [] : [[name, read[place]]])));
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

function scalarType(value: unknown): 'string' | 'number' | 'boolean' | null {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'number' && Number.isFinite(value) ? 'number' : null;
}
