/** The word `gate`: checks of a data file. A failed gate stops the run, whatever the data would have trained. */
import { bind } from './binding.ts';
import type { Artifact, GateCheck } from './definition.ts';
import type { Handle } from './handle.ts';
import { misuse } from './misuse.ts';
import { OptionReader } from './options.ts';
import { closeStep, openStep, type StepOptions } from './step-options.ts';

export interface GateOptions<Data extends GateData = GateData> extends StepOptions {
  /** A CSV, JSON Lines or Parquet file: a path in the source tree, or an artifact. */
  readonly data: Data;
  readonly rows?: { readonly min?: number; readonly max?: number };
  /** Share of empty values, 0 to 1, in the named columns or in each. */
  readonly nulls?: { readonly max: number; readonly columns?: readonly string[] };
  /** Share of rows with the positive label ('1' unless given), 0 to 1. */
  readonly label?: {
    readonly column: string;
    readonly positive?: string | number | boolean;
    readonly min?: number;
    readonly max?: number;
  };
  /** Least and greatest value, by column. */
  readonly ranges?: { readonly [column: string]: { readonly min?: number; readonly max?: number } };
  /** Columns whose values, together, never repeat. */
  readonly unique?: readonly string[];
  /** Columns that have to be there. */
  readonly columns?: readonly string[];
}

/** A path in the source tree, or an artifact. */
type GateData = string | Handle<string> | Handle<Artifact>;

/** What a gate gives: the file that it checked, and what it measured. */
export interface GateOutput {
  /** As the gate was given it; of an artifact its name. */
  readonly path: string;
  readonly rows: number;
  readonly passed: boolean;
  readonly checks: readonly GateMeasurement[];
}

export interface GateMeasurement {
  readonly check: string;
  readonly column: string | null;
  /** Null where there was nothing to measure. */
  readonly value: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly passed: boolean;
  /** A sentence with the numbers. */
  readonly message: string;
}

/** With the artifact, where it was given one. */
type GateOutputOf<Data extends GateData> =
  Data extends Handle<Artifact> ? GateOutput & { readonly artifact: Artifact } : GateOutput;

/** Adds checks of a data file; a step that uses `path` comes after it. */
export function gate<Data extends GateData>(name: string, options: GateOptions<Data>): Handle<GateOutputOf<Data>> {
  const call = openStep('gate', name, options, ['data', 'rows', 'nulls', 'label', 'ranges', 'unique', 'columns']);
  if (call.build.map !== null)
    misuse(
      'definition-map',
      `${call.label}: a gate cannot be mapped, since its instances could disagree on whether the run goes on`,
      'Check what the map gives in a step after it, or write a gate for each file with a plain loop.',
    );
  if (!call.options.has('data')) call.options.missing('data');
  const checks = [
    ...readRows(call.options),
    ...readNulls(call.options),
    ...readLabel(call.options),
    ...readRanges(call.options),
    ...readLists(call.options),
  ];
  if (checks.length === 0) {
    call.options.problem(
      'the gate checks nothing',
      'Give it at least one of rows, nulls, label, ranges, unique, columns.',
    );
  }
  return closeStep(call, { kind: 'gate', data: bind(call, 'data', call.options.raw('data')), checks });
}

function readRows(options: OptionReader): readonly GateCheck[] {
  const rows = options.nested('rows', ['min', 'max']);
  return rows === null ? [] : [{ check: 'rows', ...readBounds(rows, { min: 0, integer: true }) }];
}

function readNulls(options: OptionReader): readonly GateCheck[] {
  const nulls = options.nested('nulls', ['max', 'columns']);
  if (nulls === null) return [];
  const max = nulls.number('max', { min: 0, max: 1 }, null) ?? nulls.missing('max');
  return [{ check: 'nulls', columns: nulls.has('columns') ? nulls.texts('columns', []) : null, max }];
}

function readLabel(options: OptionReader): readonly GateCheck[] {
  const label = options.nested('label', ['column', 'positive', 'min', 'max']);
  if (label === null) return [];
  const positive = label.raw('positive') ?? 1;
  const isPlain = typeof positive === 'string' || typeof positive === 'number' || typeof positive === 'boolean';
  if (!isPlain) return label.wrong('positive', 'the text, number or flag of the positive label', positive);
  const bounds = readBounds(label, { min: 0, max: 1 });
  const text = typeof positive === 'string' ? label.text('positive', '') : String(positive);
  return [{ check: 'label', column: label.requiredText('column'), positive: text, ...bounds }];
}

function readRanges(options: OptionReader): readonly GateCheck[] {
  return options.record('ranges', /^.{1,256}$/s).map(([column, range]) => {
    const bounds = new OptionReader(options.label, range, ['min', 'max'], `ranges.${column}.`);
    return { check: 'range', column, ...readBounds(bounds, {}) };
  });
}

function readLists(options: OptionReader): readonly GateCheck[] {
  const unique = options.texts('unique', []);
  const names = options.texts('columns', []);
  return [
    ...(unique.length > 0 ? [{ check: 'unique' as const, columns: unique }] : []),
    ...(names.length > 0 ? [{ check: 'columns' as const, names }] : []),
  ];
}

function readBounds(
  options: OptionReader,
  range: { readonly min?: number; readonly max?: number; readonly integer?: boolean },
): { readonly min: number | null; readonly max: number | null } {
  const min = options.number('min', range, null);
  const max = options.number('max', range, null);
  if (min === null && max === null) options.missing('min');
  if (min !== null && max !== null && min > max) options.problem(`min ${min} is greater than max ${max}`, 'Swap them.');
  return { min, max };
}
