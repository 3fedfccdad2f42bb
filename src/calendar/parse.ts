/**
 * From a cron expression to a schedule. cron-parser reads each item of each field (numbers, names, ranges, steps); what
 * it reads wrongly or leaves to chance is settled here: the empty expression, `?` and `H`, `LW`, and lists of numbered
 * weekdays. When the schedule fires is decided by our own rules (`firing.ts`), not by cron-parser's.
 */
import { CronExpressionParser } from 'cron-parser';

import { failure, success, type Result } from '../std/result.ts';
import type { CronFields, DaysOfMonth, DaysOfWeek, Schedule } from './schedule.ts';
import { firstMatch } from './search.ts';
import { checkTimeZone } from './zone.ts';

const cronCharactersMax = 512;

/** Debian cron's nicknames. */
const nicknames: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** The fields in the order of an expression with seconds; `accepts` ends the sentence that refuses one. */
const fieldNames = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;
type FieldName = (typeof fieldNames)[number];

const commonForms = '"*", lists "1,2", ranges "1-5" and steps "*/5"';
const fieldWords: Readonly<Record<FieldName, { readonly name: string; readonly accepts: string }>> = {
  second: { name: 'second', accepts: `0 to 59, ${commonForms}` },
  minute: { name: 'minute', accepts: `0 to 59, ${commonForms}` },
  hour: { name: 'hour', accepts: `0 to 23, ${commonForms}` },
  dayOfMonth: {
    name: 'day of month',
    accepts: `1 to 31, ${commonForms}, "L" (last day) and "LW" (last day from Monday to Friday)`,
  },
  month: { name: 'month', accepts: `1 to 12 or jan to dec, ${commonForms}` },
  dayOfWeek: {
    name: 'day of week',
    accepts: `0 to 7 (0 and 7 are Sunday) or sun to sat, ${commonForms}, "5L" (last Friday) and "1#2" (second Monday)`,
  },
};

/** Those that were read; cleared when full. Each takes a fifth of a millisecond, and pages read all of theirs at each view. */
const known = new Map<string, Schedule>();
const knownMax = 1000;

/** Reads `cron` (five fields, six with seconds first, or a nickname such as `@daily`); the error says all that is wrong. */
export function parseSchedule(cron: string, timeZone: string): Result<Schedule, string> {
  const key = JSON.stringify([cron, timeZone]);
  const before = known.get(key);
  if (before !== undefined) return success(before);
  const read = readSchedule(cron, timeZone);
  if (!read.ok) return read;
  if (known.size >= knownMax) known.clear();
  known.set(key, read.value);
  return read;
}

function readSchedule(cron: string, timeZone: string): Result<Schedule, string> {
  const texts = splitFields(cron);
  const items = texts.ok ? readFields(texts.value) : texts;
  const zone = checkTimeZone(timeZone);
  if (!texts.ok || !items.ok || !zone.ok)
    return failure([items, zone].flatMap((read) => (read.ok ? [] : [read.error])).join('; '));
  const fields = toFields(texts.value, items.value);
  if (!canFire(fields)) {
    return failure(`the schedule ${JSON.stringify(cron)} never fires: no month that it allows has such a day`);
  }
  const byTheClock = texts.value.minute.startsWith('*') || texts.value.hour.startsWith('*');
  return success({ cron, timeZone, fields, byTheClock });
}

type FieldTexts = Readonly<Record<FieldName, string>>;
type FieldItems = Readonly<Record<FieldName, readonly Item[]>>;

/** What one item of a field's list stands for. */
type Item =
  | { readonly kind: 'values'; readonly values: readonly number[] }
  | { readonly kind: 'last-day' | 'last-workday' }
  | { readonly kind: 'last-weekday'; readonly weekday: number }
  | { readonly kind: 'numbered-weekday'; readonly weekday: number; readonly number: number };

function splitFields(cron: string): Result<FieldTexts, string> {
  const shape = 'write five fields (minute, hour, day of month, month, day of week), as in "0 2 * * 1"';
  if (cron.length > cronCharactersMax) {
    return failure(`the schedule has ${cron.length} characters: at most ${cronCharactersMax} are accepted`);
  }
  const trimmed = cron.trim();
  if (trimmed === '') return failure(`the schedule is empty: ${shape}`);
  const expanded = nicknames.get(trimmed.toLowerCase());
  if (expanded === undefined && trimmed.startsWith('@')) {
    return failure(`the schedule ${JSON.stringify(cron)} is unknown: write one of ${[...nicknames.keys()].join(', ')}`);
  }
  const parts = (expanded ?? trimmed).split(/\s+/);
  const [first, second, third, fourth, fifth, sixth] = parts.length === 5 ? ['0', ...parts] : parts;
  if (parts.length > 6 || [first, second, third, fourth, fifth, sixth].includes(undefined)) {
    return failure(
      `the schedule ${JSON.stringify(cron)} has ${parts.length} field${parts.length === 1 ? '' : 's'}: ${shape}, or six with the second first`,
    );
  }
  const [hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = [third, fourth, fifth, sixth];
  return success({ second: first ?? '', minute: second ?? '', hour, dayOfMonth, month, dayOfWeek });
}

function readFields(texts: FieldTexts): Result<FieldItems, string> {
  const items: Record<FieldName, Item[]> = {
    second: [],
    minute: [],
    hour: [],
    dayOfMonth: [],
    month: [],
    dayOfWeek: [],
  };
  for (const field of fieldNames) {
    for (const text of texts[field].split(',')) {
      const item = readItem(field, text.toLowerCase());
      if (item === null) {
        const { name, accepts } = fieldWords[field];
        return failure(`the ${name} field ${JSON.stringify(texts[field])} cannot be read: it takes ${accepts}`);
      }
      items[field].push(item);
    }
  }
  return success(items);
}

/** One item of a list, in lower case; null where it is not accepted. cron-parser throws for what it cannot read. */
function readItem(field: FieldName, text: string): Item | null {
  // `?` is another system's star, and `H` would be a number drawn at random.
  if (!/^[\da-z*/#-]+$/.test(text) || /(?:^|[\d(])h/.test(text)) return null;
  if (field === 'dayOfMonth' && text === 'lw') return { kind: 'last-workday' };
  if (field === 'dayOfMonth' && text === 'l') return { kind: 'last-day' };
  if (field === 'dayOfWeek' && /^[0-7]l$/.test(text)) {
    return { kind: 'last-weekday', weekday: Number(text.slice(0, 1)) % 7 };
  }
  if (text.includes('#')) return readNumberedWeekday(field, text);
  const values = readValues(field, text);
  return values === null ? null : { kind: 'values', values };
}

function readNumberedWeekday(field: FieldName, text: string): Item | null {
  const match = /^([0-7]|[a-z]{3})#([1-5])$/.exec(text);
  const weekday = match === null || field !== 'dayOfWeek' ? null : readValues(field, match[1] ?? '')?.[0];
  return weekday === null || weekday === undefined
    ? null
    : { kind: 'numbered-weekday', weekday: weekday % 7, number: Number(match?.[2]) };
}

/** cron-parser takes two names in a row for the number that their numbers make. */
const valuesPattern = /^(?:\*|(?:\d+|[a-z]{3})(?:-(?:\d+|[a-z]{3}))?)(?:\/\d+)?$/;

function readValues(field: FieldName, text: string): readonly number[] | null {
  if (!valuesPattern.test(text)) return null;
  const expression = fieldNames.map((name) => (name === field ? text : '*')).join(' ');
  try {
    const parsed = CronExpressionParser.parse(expression, { currentDate: 0, tz: 'UTC' });
    const values = parsed.fields[field].values.filter((value) => typeof value === 'number');
    return values.length === parsed.fields[field].values.length ? values : null;
  } catch {
    return null;
  }
}

function toFields(texts: FieldTexts, items: FieldItems): CronFields {
  const anyStar = texts.dayOfMonth.startsWith('*') || texts.dayOfWeek.startsWith('*');
  return {
    seconds: valuesOf(items.second),
    minutes: valuesOf(items.minute),
    hours: valuesOf(items.hour),
    daysOfMonth: toDaysOfMonth(items.dayOfMonth),
    months: new Set(valuesOf(items.month)),
    daysOfWeek: toDaysOfWeek(items.dayOfWeek),
    dayRule: anyStar ? 'both' : 'either',
  };
}

function valuesOf(items: readonly Item[]): readonly number[] {
  const values = items.flatMap((item) => (item.kind === 'values' ? item.values : []));
  return [...new Set(values)].sort((a, b) => a - b);
}

function toDaysOfMonth(items: readonly Item[]): DaysOfMonth {
  return {
    days: new Set(valuesOf(items)),
    last: items.some((item) => item.kind === 'last-day'),
    lastWorkday: items.some((item) => item.kind === 'last-workday'),
  };
}

function toDaysOfWeek(items: readonly Item[]): DaysOfWeek {
  const last = items.flatMap((item) => (item.kind === 'last-weekday' ? [item.weekday] : []));
  const numbered = items.flatMap((item) => (item.kind === 'numbered-weekday' ? [item.weekday * 10 + item.number] : []));
  return { days: new Set(valuesOf(items).map((day) => day % 7)), last: new Set(last), numbered: new Set(numbered) };
}

/**
 * Every kind of year (leap or not, beginning on each weekday) occurs between 2000 and 2028: a schedule that allows no
 * day there allows none at all.
 */
function canFire(fields: CronFields): boolean {
  return firstMatch(fields, Date.UTC(2000, 0, 1) / 1000, Date.UTC(2028, 0, 1) / 1000) !== null;
}
