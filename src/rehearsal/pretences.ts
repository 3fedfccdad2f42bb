/** What the user wants pretended, read and held against the pipeline: from here on nothing in it can be wrong. */
import type { AttemptKey } from '../engine/event.ts';
import type { PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import { formatDuration, parseDuration } from '../std/duration.ts';
import type { Problem } from '../std/problem.ts';
import { success, type Result } from '../std/result.ts';
import { readLengths, type OutputLengths } from './lengths.ts';
import { findStep, mistake, splitGiven } from './mistake.ts';
import { readSequence, usualPretence, type Pretence } from './pretence.ts';

/** As written: `train=failed,success`, `train[2]=failed`; `5m`, `train=20m`; `train=3`. */
export interface GivenPretences {
  readonly outcomes: readonly string[];
  readonly durations: readonly string[];
  readonly lengths: readonly string[];
}

/** Of the attempts of an instance: the first, the second, and so on; the last stands for all that follow. */
type Sequence = readonly Pretence[];

export interface Pretences {
  readonly outcomes: ReadonlyMap<string, Sequence>;
  readonly durations: Durations;
  readonly lengths: OutputLengths;
  /** Sentences about what nobody said and what is pretended all the same. */
  readonly assumed: readonly string[];
}

interface Durations {
  /** Of an attempt of any step but a sensor, whose looks take no time. */
  readonly usualMs: number;
  readonly isUsualGiven: boolean;
  readonly ofStep: ReadonlyMap<string, number>;
}

const durationUsualMs = 60_000;
const durationMaxMs = 30 * 86_400_000;

export function readPretences(definition: PipelineDefinition, given: GivenPretences): Result<Pretences, Problem> {
  const outcomes = readOutcomes(definition, given.outcomes);
  if (!outcomes.ok) return outcomes;
  const durations = readDurations(definition, given.durations);
  if (!durations.ok) return durations;
  const lengths = readLengths(definition, given.lengths);
  if (!lengths.ok) return lengths;
  const { usualMs, isUsualGiven, ofStep } = durations.value;
  const others = ofStep.size === 0 ? '' : ' other';
  const assumed = [
    ...(isUsualGiven ? [] : [`each${others} attempt takes ${formatDuration(usualMs)}`]),
    ...lengths.value.assumed,
    ...definition.steps.flatMap((step) => assumedOf(step, outcomes.value)),
  ];
  return success({ outcomes: outcomes.value, durations: durations.value, lengths: lengths.value.lengths, assumed });
}

/** How an attempt ends. An instance's own words come before those of its step. */
export function pretenceOf(pretences: Pretences, step: StepDefinition, { index, attempt }: AttemptKey): Pretence {
  const { outcomes } = pretences;
  const sequence = outcomes.get(`${step.name}[${index}]`) ?? outcomes.get(step.name) ?? [];
  return sequence[attempt - 1] ?? sequence.at(-1) ?? usualPretence(step.work);
}

export function durationOf({ durations }: Pretences, step: StepDefinition): number {
  return durations.ofStep.get(step.name) ?? (step.work.kind === 'wait' ? 0 : durations.usualMs);
}

/** The instances of which something is pretended, to be held against those that there were. */
export function namedInstances(pretences: Pretences): readonly { readonly step: string; readonly index: number }[] {
  return [...pretences.outcomes.keys()].flatMap((target) => {
    const [, step, index] = targetPattern.exec(target) ?? [];
    return step === undefined || index === undefined ? [] : [{ step, index: Number(index) }];
  });
}

const targetPattern = /^([^[\]]+)\[(\d{1,9})\]$/;

function readOutcomes(
  definition: PipelineDefinition,
  given: readonly string[],
): Result<ReadonlyMap<string, Sequence>, Problem> {
  const outcomes = new Map<string, Sequence>();
  for (const text of given) {
    const split = splitGiven(text, '--outcome train=failed, --outcome train[2]=failed,success');
    if (!split.ok) return split;
    const [target, words] = split.value;
    const [, name = target, index] = targetPattern.exec(target) ?? [];
    const step = findStep(definition, name);
    if (!step.ok) return step;
    if (index !== undefined && step.value.map === null) {
      return mistake(`step "${name}" is not mapped, so it has no instance ${index}`, `Write it as ${name}=${words}.`);
    }
    const key = index === undefined ? name : `${name}[${Number(index)}]`;
    if (outcomes.has(key)) {
      return mistake(
        `what becomes of ${key} is said twice`,
        'Write the outcomes of its attempts in one list: failed,success.',
      );
    }
    const sequence = readSequence(step.value, words);
    if (!sequence.ok) return sequence;
    outcomes.set(key, sequence.value);
  }
  return success(outcomes);
}

function readDurations(definition: PipelineDefinition, given: readonly string[]): Result<Durations, Problem> {
  const ofStep = new Map<string, number>();
  let usualMs: number | null = null;
  for (const text of given) {
    const at = text.indexOf('=');
    const name = at < 0 ? null : text.slice(0, at);
    const parsed = parseDuration(text.slice(at + 1));
    if (!parsed.ok) return mistake(parsed.error, 'Write --duration 5m for all steps, --duration train=20m for one.');
    if (parsed.value > durationMaxMs) {
      return mistake(`an attempt of ${formatDuration(parsed.value)} is too long`, 'Pretend at most 30d.');
    }
    if (name === null) {
      usualMs = parsed.value;
      continue;
    }
    const step = findStep(definition, name);
    if (!step.ok) return step;
    ofStep.set(name, parsed.value);
  }
  return success({ usualMs: usualMs ?? durationUsualMs, isUsualGiven: usualMs !== null, ofStep });
}

/** A decision that somebody else could have wished otherwise is told where it was not asked for. */
function assumedOf(step: StepDefinition, outcomes: ReadonlyMap<string, Sequence>): readonly string[] {
  const { work, name } = step;
  if (outcomes.has(name)) return [];
  if (work.kind === 'branch') {
    const [first = 'nothing'] = work.choices;
    return [`${name} follows ${first}, the first of its choices`];
  }
  return work.kind === 'challenge' ? [`${name} finds the challenger better`] : [];
}
