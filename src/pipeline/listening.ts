/**
 * What a pipeline listens to beside Git and the clock: the ends of runs of other pipelines (`on.pipeline`), and news of
 * datasets (`on.data`), which steps tell (`updates`) or somebody outside.
 */
import { undeclaredOutput } from './declared-outputs.ts';
import {
  endStates,
  type DatasetUpdate,
  type EndTrigger,
  type StepDefinition,
  type TriggerDefinition,
} from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import { shown } from './misuse.ts';
import { datasetNamePattern, identifierPattern, pipelineNamePattern } from './names.ts';
import { OptionReader, plainRecord } from './options.ts';

export interface EndOption {
  readonly name: string;
  /** How its run has to end: `['success']` unless given. */
  readonly states?: readonly ('success' | 'failed' | 'cancelled')[];
  /** Globs of the branches that its run was for. The default branch alone unless given. */
  readonly branches?: readonly string[];
}

/** One of the two. */
export type DataOption = { readonly all: readonly string[] } | { readonly any: readonly string[] };

/** Names of datasets, or of each the output that tells whether the data are others; `true`: the whole of it. */
export type UpdatesOption = readonly string[] | { readonly [dataset: string]: string | true };

/** Left out where there is nothing, so that a definition without has the digest that it always had. */
export function readEnds(on: OptionReader): Pick<TriggerDefinition, 'pipelines'> {
  const value = on.raw('pipeline');
  if (value === undefined || value === null) return {};
  const pipelines = (Array.isArray(value) ? value : [value]).map((each: unknown) => readEnd(on, each));
  const [first] = pipelines;
  if (first === undefined) return on.wrong('pipeline', 'a name, or an object with name, states, branches', value);
  const twice = pipelines.find(({ name }, index) => pipelines.findIndex((other) => other.name === name) < index);
  if (twice !== undefined)
    return on.problem(`option "on.pipeline" names ${shown(twice.name)} twice`, 'Give all of its states at once.');
  return { pipelines };
}

function readEnd(on: OptionReader, value: unknown): EndTrigger {
  const given = typeof value === 'string' ? { name: value } : value;
  const end = new OptionReader(on.label, given, ['name', 'states', 'branches'], 'on.pipeline.');
  const name = end.requiredText('name');
  if (!pipelineNamePattern.test(name)) end.wrong('name', 'the name of a pipeline, such as "daily-features"', name);
  const named = end.texts('states', ['success']);
  const wrong = named.find((state) => !endStates.some((known) => known === state));
  const states = endStates.filter((state) => named.includes(state));
  if (wrong !== undefined || states.length === 0)
    end.wrong('states', `a list of ${endStates.join(', ')}`, wrong ?? named);
  return { name, states, branches: end.globs('branches') };
}

export function readData(on: OptionReader): Pick<TriggerDefinition, 'data'> {
  const value = on.raw('data');
  if (value === undefined || value === null) return {};
  if (typeof value === 'string') return { data: { datasets: [checkDataset(on, value)], when: 'all' } };
  const isList = Array.isArray(value);
  const data = isList ? on : new OptionReader(on.label, value, ['all', 'any'], 'on.data.');
  if (!isList && data.has('all') === data.has('any'))
    data.problem('option "on.data" has to have either "all" or "any"', 'Write data: { any: ["a", "b"] }.');
  const when = !isList && data.has('any') ? 'any' : 'all';
  const datasets = distinct(data.texts(isList ? 'data' : when, []).map((name) => checkDataset(on, name)));
  const { datasetsMax } = definitionLimits;
  if (datasets.length === 0 || datasets.length > datasetsMax)
    return on.wrong('data', `the names of up to ${datasetsMax} datasets`, value);
  return { data: { datasets, when } };
}

/** The option `updates` of a step. */
export function readUpdates(options: OptionReader): readonly DatasetUpdate[] {
  const value = options.raw('updates');
  if (value === undefined || value === null) return [];
  const updates = Array.isArray(value)
    ? distinct(options.texts('updates', [])).map((name) => ({ dataset: checkDataset(options, name), output: null }))
    : readUpdateRecord(options, value);
  const { datasetsMax } = definitionLimits;
  if (updates.length > datasetsMax) options.wrong('updates', `up to ${datasetsMax} datasets`, value);
  return updates;
}

function readUpdateRecord(options: OptionReader, value: unknown): readonly DatasetUpdate[] {
  const what = 'a list of names of datasets, or an object that names an output for each';
  const record = plainRecord(value) ?? options.wrong('updates', what, value);
  return Object.entries(record).map(([name, output]) => {
    const dataset = checkDataset(options, name);
    if (output === true) return { dataset, output: [] };
    if (typeof output === 'string' && identifierPattern.test(output)) return { dataset, output: [output] };
    return options.wrong('updates', what, value);
  });
}

/** What is wrong with the updates of a step as a whole, and the way out; null where all is well. */
export function wrongUpdate(step: StepDefinition): { readonly what: string; readonly help: string } | null {
  const { updates = [], map } = step;
  if (updates.length === 0) return null;
  if (map !== null)
    return {
      what: `step "${step.name}" is mapped, and updates a dataset`,
      help: 'Each instance would be news of its own: give `updates` to the step that gathers what they made.',
    };
  const undeclared = updates.flatMap(({ output }) => (output === null ? [] : (undeclaredOutput(step, output) ?? [])));
  return undeclared[0] ?? null;
}

function checkDataset(options: OptionReader, name: string): string {
  if (datasetNamePattern.test(name)) return name;
  return options.problem(
    `${shown(name)} is no name of a dataset`,
    `Names begin with a letter or digit, have no spaces and at most ${definitionLimits.datasetNameLengthMax} characters: "churn-features", "s3://lake/churn".`,
  );
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
