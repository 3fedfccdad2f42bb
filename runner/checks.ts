/** The checks of a gate, each a fold over the batches of the file: all of them together read it once. */
import type { GateCheck } from '../src/pipeline/definition.ts';
import { unreachable } from '../src/std/unreachable.ts';
import { isEmpty, numberOf, textOf } from './cell.ts';
import { createRowSet } from './row-set.ts';
import type { Batch } from './table.ts';

/** What one check found, of one column or of the whole file. */
export interface CheckResult {
  readonly check: GateCheck['check'];
  readonly column: string | null;
  /** What was measured; null where there was nothing to measure. */
  readonly value: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly passed: boolean;
  /** A sentence with the numbers. */
  readonly message: string;
}

export interface RunningCheck {
  take(batch: Batch): void;
  /** `rows` and `columns` are those of the whole file. */
  results(rows: number, columns: readonly string[]): readonly CheckResult[];
}

/** A gate on uniqueness looks at no more rows than this; it fails beyond. */
export const uniqueRowsMax = 10_000_000;
/** Named in messages and, without a list of columns, checked for empty values. */
const columnsMax = 1000;

export function startCheck(check: GateCheck): RunningCheck {
  switch (check.check) {
    case 'rows':
      return { take() {}, results: (rows) => [bounded('rows', null, rows, check, `${rows} rows`)] };
    case 'columns':
      return { take() {}, results: (_, columns) => [columnsResult(check.names, columns)] };
    case 'nulls':
      return startNulls(check.columns, check.max);
    case 'label':
      return startLabel(check);
    case 'range':
      return startRange(check);
    case 'unique':
      return startUnique(check.columns);
    default:
      return unreachable(check);
  }
}

/** The columns that the checks look at; null: all of them. */
export function columnsOf(checks: readonly GateCheck[]): readonly string[] | null {
  if (checks.some((check) => check.check === 'nulls' && check.columns === null)) return null;
  return checks.flatMap((check) => {
    if (check.check === 'label' || check.check === 'range') return [check.column];
    return check.check === 'unique' || check.check === 'nulls' ? (check.columns ?? []) : [];
  });
}

function startNulls(named: readonly string[] | null, max: number): RunningCheck {
  const filled = new Map<string, number>();
  return {
    take({ columns, rows }) {
      for (const [place, column] of columns.entries()) {
        if (named !== null && !named.includes(column)) continue;
        let count = 0;
        for (const row of rows) if (!isEmpty(row[place])) count += 1;
        filled.set(column, (filled.get(column) ?? 0) + count);
      }
    },
    results: (rows, columns) =>
      (named ?? columns.slice(0, columnsMax)).map((column) => {
        if (!columns.includes(column)) return missing('nulls', column, columns);
        const empty = rows - (filled.get(column) ?? 0);
        const share = rows === 0 ? 0 : empty / rows;
        return bounded(
          'nulls',
          column,
          share,
          { min: null, max },
          `${percent(share)} of ${column} is empty (${empty} of ${rows} rows)`,
        );
      }),
  };
}

function startLabel(check: Extract<GateCheck, { check: 'label' }>): RunningCheck {
  const { column, positive } = check;
  const wanted = numberOf(positive);
  const isPositive = (cell: unknown): boolean =>
    !isEmpty(cell) && (textOf(cell) === positive || numberOf(cell) === wanted);
  let count = 0;
  return {
    take({ columns, rows }) {
      const place = columns.indexOf(column);
      for (const row of rows) if (isPositive(row[place])) count += 1;
    },
    results(rows, columns) {
      if (!columns.includes(column)) return [missing('label', column, columns)];
      const share = rows === 0 ? 0 : count / rows;
      return [
        bounded(
          'label',
          column,
          share,
          check,
          `${percent(share)} of the rows have ${column} = ${positive} (${count} of ${rows})`,
        ),
      ];
    },
  };
}

function startRange(check: Extract<GateCheck, { check: 'range' }>): RunningCheck {
  const { column, min, max } = check;
  let [least, greatest, odd]: [number, number, string | null] = [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    null,
  ];
  return {
    take({ columns, rows }) {
      const place = columns.indexOf(column);
      if (place === -1) return;
      for (const row of rows) {
        const cell = row[place];
        if (isEmpty(cell)) continue;
        const value = numberOf(cell);
        if (Number.isNaN(value)) odd ??= textOf(cell).slice(0, 60);
        else [least, greatest] = [Math.min(least, value), Math.max(greatest, value)];
      }
    },
    results(_, columns) {
      if (!columns.includes(column)) return [missing('range', column, columns)];
      if (odd !== null)
        return [failed('range', column, check, `${column} holds ${JSON.stringify(odd)}, which is no number`)];
      if (least > greatest) return [failed('range', column, check, `${column} has no value at all`)];
      const value =
        min !== null && least < min
          ? least
          : max !== null && greatest > max
            ? greatest
            : min === null
              ? greatest
              : least;
      return [bounded('range', column, value, check, `${column} goes from ${least} to ${greatest}`)];
    },
  };
}

function startUnique(named: readonly string[]): RunningCheck {
  const seen = createRowSet();
  const column = named.join(', ');
  const limits = { min: null, max: 0 };
  let [repeats, isFull, example]: [number, boolean, string] = [0, false, ''];
  return {
    take({ columns, rows }) {
      const places = named.map((name) => columns.indexOf(name));
      if (isFull || places.includes(-1)) return;
      for (const row of rows) {
        const key =
          places.length === 1 ? textOf(row[places[0] ?? 0]) : JSON.stringify(places.map((place) => textOf(row[place])));
        if (seen.add(key)) continue;
        if (repeats === 0) example = key.slice(0, 60);
        repeats += 1;
      }
      isFull = seen.size > uniqueRowsMax;
    },
    results(_, columns) {
      const absent = named.find((name) => !columns.includes(name));
      if (absent !== undefined) return [missing('unique', absent, columns)];
      if (isFull)
        return [
          failed(
            'unique',
            column,
            limits,
            `more than ${uniqueRowsMax} rows: the uniqueness of ${column} is not checked beyond that`,
          ),
        ];
      const message =
        repeats === 0
          ? `${column} is unique`
          : `${repeats} ${repeats === 1 ? 'row repeats' : 'rows repeat'} a value of ${column}, the first is ${example}`;
      return [bounded('unique', column, repeats, limits, message)];
    },
  };
}

function columnsResult(names: readonly string[], columns: readonly string[]): CheckResult {
  const absent = names.filter((name) => !columns.includes(name));
  const message =
    absent.length === 0
      ? `all ${names.length} columns are there`
      : `there is no column ${absent.join(', ')}; ${listed(columns)}`;
  return {
    check: 'columns',
    column: null,
    value: absent.length,
    min: null,
    max: 0,
    passed: absent.length === 0,
    message,
  };
}

type Bounds = { readonly min: number | null; readonly max: number | null };

function bounded(
  check: CheckResult['check'],
  column: string | null,
  value: number,
  { min, max }: Bounds,
  fact: string,
): CheckResult {
  const tooLow = min !== null && value < min;
  const tooHigh = max !== null && value > max;
  const asked = tooLow ? `, at least ${min} is asked for` : tooHigh ? `, at most ${max} is allowed` : '';
  return { check, column, value, min, max, passed: !tooLow && !tooHigh, message: fact + asked };
}

function failed(check: CheckResult['check'], column: string, { min, max }: Bounds, message: string): CheckResult {
  return { check, column, value: null, min, max, passed: false, message };
}

function missing(check: CheckResult['check'], column: string, columns: readonly string[]): CheckResult {
  return failed(check, column, { min: null, max: null }, `there is no column ${column}; ${listed(columns)}`);
}

function listed(columns: readonly string[]): string {
  const more = columns.length > 20 ? ` and ${columns.length - 20} more` : '';
  return `the file has ${columns.slice(0, 20).join(', ')}${more}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(4))} %`;
}
