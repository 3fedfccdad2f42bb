/** What a parameter of a pipeline may be: one set of rules for its default, and for what a run is given. */
import { failure, success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';

type Scalar = string | number | boolean;
export type ParameterValue = Scalar | readonly string[] | readonly number[];

export const parameterTypes = ['string', 'number', 'boolean', 'list'] as const;
export const itemTypes = ['string', 'number'] as const;

export interface ParameterDefinition {
  readonly type: (typeof parameterTypes)[number];
  /** Null: a run must give it. */
  readonly default: ParameterValue | null;
  readonly description: string | null;
  /** Of a list: of each of its items, and so are the bounds of numbers and of text. */
  readonly choices: readonly (string | number)[] | null;
  /** Of a list. */
  readonly items?: (typeof itemTypes)[number];
  readonly minItems?: number;
  readonly maxItems?: number;
  /** Of numbers, both included. */
  readonly min?: number;
  readonly max?: number;
  /** Of text, in characters. */
  readonly minLength?: number;
  readonly maxLength?: number;
}

export const parameterItemsMax = 1000;

/**
 * The value that `given` is for it, where it fits: text becomes what is declared, a list its items between commas or a JSON
 * array. The error stands after the name of the parameter: `must be a number, not "many"`.
 */
export function parseParameterValue(definition: ParameterDefinition, given: unknown): Result<ParameterValue, string> {
  const { type, items = 'string' } = definition;
  if (type !== 'list') return fitting(definition, type, given);
  const list = listOf(given);
  if (list === null) return failure(`must be a list of ${items}s, not ${shownValue(given)}`);
  const { minItems = 0, maxItems = parameterItemsMax } = definition;
  if (list.length < minItems || list.length > maxItems)
    return failure(`must have ${rangeText(minItems, maxItems)} items, not ${list.length}`);
  const values: Scalar[] = [];
  for (const item of list) {
    const value = fitting(definition, items, item);
    if (!value.ok) return failure(`holds ${shownValue(item)}: each item ${value.error}`);
    values.push(value.value);
  }
  // Each of them is of the type of the items.
  return success(values as readonly string[] | readonly number[]);
}

/** As it is written on a command line or in a form, and read again from there. */
export function parameterText(value: ParameterValue): string {
  if (typeof value !== 'object') return String(value);
  const plain = value.map(String);
  const isPlain = plain.every((item) => item !== '' && item.trim() === item && !/^\[|,/.test(item));
  return isPlain ? plain.join(',') : JSON.stringify(value);
}

/** `number, from 1 to 10`, `list of strings, each one of eu, us`. */
export function parameterTypeText(definition: ParameterDefinition): string {
  const { type, items = 'string', choices, min, max, minLength, maxLength, minItems, maxItems } = definition;
  const each = type === 'list' ? 'each ' : '';
  const bounds = [
    [minItems, maxItems, (range: string) => `${range} items`],
    [min, max, (range: string) => `${each}${range}`],
    [minLength, maxLength, (range: string) => `${each}${range} characters`],
  ] as const;
  return [
    type === 'list' ? `list of ${items}s` : type,
    ...bounds.flatMap(([low, high, say]) =>
      low === undefined && high === undefined ? [] : [say(rangeText(low, high))],
    ),
    ...(choices === null ? [] : [`${each}one of ${choices.join(', ')}`]),
  ].join(', ');
}

function fitting(
  definition: ParameterDefinition,
  type: 'string' | 'number' | 'boolean',
  given: unknown,
): Result<Scalar, string> {
  const value = typed(type, given);
  const shown = shownValue(given);
  if (value === null) return failure(`must be a ${type}, not ${shown}`);
  const { choices, min, max, minLength, maxLength } = definition;
  if (choices !== null && !choices.some((choice) => choice === value))
    return failure(`must be one of ${choices.join(', ')}, not ${shown}`);
  if (typeof value === 'number' && !isWithin(value, min, max))
    return failure(`must be ${rangeText(min, max)}, not ${shown}`);
  if (typeof value === 'string' && !isWithin(value.length, minLength, maxLength))
    return failure(`must have ${rangeText(minLength, maxLength)} characters, not ${value.length}`);
  return success(value);
}

function typed(type: 'string' | 'number' | 'boolean', given: unknown): Scalar | null {
  if (typeof given !== 'string' && typeof given !== 'number' && typeof given !== 'boolean') return null;
  switch (type) {
    case 'string':
      return String(given);
    case 'number': {
      const number = typeof given === 'string' && given.trim() === '' ? Number.NaN : Number(given);
      return typeof given === 'boolean' || !Number.isFinite(number) ? null : number;
    }
    case 'boolean':
      if (typeof given === 'boolean') return given;
      return given === 'true' ? true : given === 'false' ? false : null;
    default:
      return unreachable(type);
  }
}

function listOf(given: unknown): readonly unknown[] | null {
  if (Array.isArray(given)) return given;
  if (typeof given === 'number') return [given];
  if (typeof given !== 'string') return null;
  const text = given.trim();
  if (!text.startsWith('[')) return text === '' ? [] : text.split(',').map((item) => item.trim());
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isWithin(value: number, min = -Infinity, max = Infinity): boolean {
  return value >= min && value <= max;
}

function rangeText(min = -Infinity, max = Infinity): string {
  if (min === max) return String(min);
  if (max === Infinity) return `at least ${min}`;
  return min === -Infinity ? `at most ${max}` : `from ${min} to ${max}`;
}

function shownValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
