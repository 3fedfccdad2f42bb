/** The word `challenge`: champion against challenger on the same rows, and what becomes of the winner. */
import { bind } from './binding.ts';
import type { StepFunction } from './build.ts';
import { readCommand, readEnvironment, type Text } from './command.ts';
import type { FunctionContext } from './context.ts';
import {
  binaryMetrics,
  regressionMetrics,
  type Artifact,
  type ChallengeWork,
  type MetricName,
  type PromotionPolicy,
  type ScoreDefinition,
} from './definition.ts';
import type { Handle, Input, Nothing, Resolved } from './handle.ts';
import { misuse, shown } from './misuse.ts';
import { pipelineNamePattern } from './names.ts';
import { nearest } from './nearest.ts';
import { OptionReader } from './options.ts';
import { closeStep, openStep, readFunction, type StepCall, type StepOptions } from './step-options.ts';

export interface ChallengeOptions<I extends Input> extends StepOptions {
  /** Of the step; `challenge-` and the name of the model unless given. */
  readonly name?: string;
  /** The challenger: what is registered and promoted. */
  readonly model: Handle<Artifact>;
  /** Scores one model on the evaluation rows; called for the challenger and for the champion, in the same attempt. */
  readonly score?: ScoreFunctionOptions<I> | ScoreCommandOptions;
  /** In place of `score`: a CSV with the columns label and challenger, and champion where there is one. */
  readonly predictions?: Handle<Artifact> | Handle<string> | string;
  /** That of the metric unless given. */
  readonly task?: 'binary' | 'regression';
  readonly metric: MetricName;
  /** The least value of the metric that is accepted at all (the most, where lower is better). */
  readonly threshold?: number;
  /** What the challenger must gain over the champion, in the unit of the metric. 0 unless given. */
  readonly minAbsoluteChange?: number;
  /** The same as a share of the champion's value. 0 unless given. */
  readonly minRelativeChange?: number;
  /** Of the interval of the difference. 0.95 unless given. */
  readonly confidence?: number;
  /** Other metrics that must not get worse by more than `maxLoss`. */
  readonly guardrails?: readonly { readonly metric: MetricName; readonly maxLoss: number }[];
  /** What happens to a challenger that won. `never` unless given. */
  readonly promote?: PromotionPolicy;
}

export interface ScoreFunctionOptions<I extends Input> {
  readonly input?: I;
  /** `model` is the path of the model's file. The rows come back in the same order for every model. */
  readonly run: (
    input: Resolved<NoInfer<I>> & { readonly model: string },
    context: FunctionContext,
  ) => Scores | Promise<Scores>;
}

/** One entry for each evaluation row. Binary: labels are 0 or 1, scores 0 to 1. */
export type Scores = readonly { readonly label: number; readonly score: number }[];

export interface ScoreCommandOptions {
  /** Reads $CONTENDER_MODEL and writes CSV with the columns label and score to $CONTENDER_PREDICTIONS. */
  readonly command: readonly Text[];
  readonly env?: { readonly [name: string]: Text };
}

/** What a challenge gives. */
export interface ChallengeResult {
  readonly model: string;
  readonly verdict: {
    readonly kind: 'better' | 'worse' | 'inconclusive' | 'no-champion' | 'below-threshold';
    readonly promotable: boolean;
    /** One sentence with the numbers. */
    readonly reason: string;
    readonly rows: number;
    readonly metric: string;
  };
  readonly championVersion: number | null;
}

const ownOptions = [
  'name',
  'model',
  'score',
  'predictions',
  'task',
  'metric',
  'threshold',
  'minAbsoluteChange',
  'minRelativeChange',
  'confidence',
  'guardrails',
  'promote',
];

/** Adds the comparison of a challenger with the champion of `model`. */
export function challenge<I extends Input = Nothing>(
  model: string,
  options: ChallengeOptions<I>,
): Handle<ChallengeResult> {
  if (typeof model !== 'string' || !pipelineNamePattern.test(model)) {
    misuse(
      'definition-name',
      `challenge ${shown(model)}: the name of the model is not allowed`,
      'Names are lower-case letters, digits and "-", and begin with a letter: "churn".',
    );
  }
  const named = typeof options === 'object' && options !== null ? options.name : undefined;
  const call = openStep('challenge', named ?? `challenge-${model}`, options, ownOptions);
  if (call.build.map !== null)
    misuse(
      'definition-map',
      `${call.label}: a challenge cannot be mapped, since one model at most can become champion`,
      'Choose the best in a step after the map that takes the list of its results, and challenge with that one.',
    );
  const reader = call.options;
  if (!reader.has('model')) reader.missing('model');
  if (reader.has('score') === reader.has('predictions')) {
    reader.problem(
      'it needs either `score` or `predictions`',
      'Give `score` to let both models score the same rows here, or `predictions` with what a step before has scored.',
    );
  }
  const { score, run } = readScore(call);
  return closeStep(
    call,
    {
      kind: 'challenge',
      model,
      challenger: bind(call, 'model', reader.raw('model')),
      score,
      predictions: reader.has('predictions') ? bind(call, 'predictions', reader.raw('predictions')) : null,
      ...readMetrics(reader),
      threshold: reader.number('threshold', {}, null),
      minAbsoluteChange: reader.number('minAbsoluteChange', { min: 0 }, 0),
      minRelativeChange: reader.number('minRelativeChange', { min: 0 }, 0),
      confidence: reader.number('confidence', { min: 0.5, max: 0.9999 }, 0.95),
      promote: reader.choice('promote', ['automatic', 'on-merge', 'on-approval', 'never'], 'never'),
    },
    {},
    run,
  );
}

function readScore(call: StepCall): { readonly score: ScoreDefinition | null; readonly run: StepFunction | null } {
  const score = call.options.nested('score', ['input', 'run', 'command', 'env']);
  if (score === null) return { score: null, run: null };
  if (score.has('command') === score.has('run'))
    score.problem('option "score" needs either `run` or `command`', 'Give a function, or a program.');
  if (score.has('command')) {
    return {
      score: {
        kind: 'command',
        command: readCommand(call, score, 'command'),
        environment: readEnvironment(call, score),
      },
      run: null,
    };
  }
  return {
    score: { kind: 'function', file: '', input: bind(call, 'score.input', score.raw('input') ?? {}) },
    run: readFunction(call, score),
  };
}

function readMetrics(options: OptionReader): Pick<ChallengeWork, 'task' | 'metric' | 'guardrails'> {
  if (!options.has('metric')) options.missing('metric');
  const metric = options.choice('metric', [...binaryMetrics, ...regressionMetrics], 'roc_auc');
  const task = options.choice('task', ['binary', 'regression'], taskOf(metric));
  const entries = options.raw('guardrails') ?? [];
  if (!Array.isArray(entries)) return options.wrong('guardrails', 'a list of { metric, maxLoss }', entries);
  const guardrails = entries.map((entry: unknown, index) => {
    const guardrail = new OptionReader(options.label, entry, ['metric', 'maxLoss'], `guardrails[${index}].`);
    if (!guardrail.has('metric')) guardrail.missing('metric');
    const measured = guardrail.choice('metric', [...binaryMetrics, ...regressionMetrics], 'roc_auc');
    return { metric: measured, maxLoss: guardrail.number('maxLoss', { min: 0 }, null) ?? guardrail.missing('maxLoss') };
  });
  const twice = repeatedGuardrail(guardrails);
  if (twice !== null)
    options.problem(
      `option "guardrails" has ${twice} twice`,
      'Keep the one with the smaller "maxLoss", which holds both.',
    );
  for (const measured of [metric, ...guardrails.map((guardrail) => guardrail.metric)]) {
    if (taskOf(measured) === task) continue;
    const fitting = task === 'binary' ? binaryMetrics : regressionMetrics;
    const meant = nearest(measured, fitting);
    options.problem(
      `"${measured}" is no metric of the task ${task}`,
      `${meant === null ? '' : `Did you mean "${meant}"? `}It may be ${fitting.join(', ')}.`,
    );
  }
  return { task, metric, guardrails };
}

/** A metric that has two, or null. */
export function repeatedGuardrail(guardrails: ChallengeWork['guardrails']): MetricName | null {
  const metrics = guardrails.map(({ metric }) => metric);
  return metrics.find((metric, index) => metrics.indexOf(metric) !== index) ?? null;
}

function taskOf(metric: MetricName): 'binary' | 'regression' {
  return regressionMetrics.some((name) => name === metric) ? 'regression' : 'binary';
}
