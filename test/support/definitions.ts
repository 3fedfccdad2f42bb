/** Definitions for tests: what a test does not name has a plain default. */
import type {
  ApprovalWork,
  ChallengeWork,
  MapDefinition,
  PipelineDefinition,
  RetryDefinition,
  StepDefinition,
  Work,
} from '../../src/pipeline/definition.ts';
import type { Json } from '../../src/std/json.ts';

export const noRetry: RetryDefinition = { count: 0, delayMs: 60_000, factor: 1, delayMaxMs: 3_600_000 };

/** A command step that runs once, after all of `upstream` succeeded. */
export function stepOf(given: Partial<StepDefinition> & { readonly name: string }): StepDefinition {
  return {
    description: null,
    upstream: [],
    triggerRule: 'all_success',
    finally: false,
    retry: noRetry,
    timeoutMs: 3_600_000,
    graceMs: 30_000,
    secrets: [],
    cache: null,
    map: null,
    outputs: {},
    work: { kind: 'command', command: ['true'], environment: {} },
    ...given,
  };
}

/** A pipeline that only a person starts. */
export function pipelineOf(
  steps: readonly StepDefinition[],
  given: Partial<PipelineDefinition> = {},
): PipelineDefinition {
  return {
    name: 'example',
    description: null,
    owner: null,
    tags: [],
    on: { schedule: null, push: null, pullRequest: null },
    parameters: {},
    maxActiveRuns: 16,
    overlap: 'allow',
    cancelInProgress: false,
    runTimeoutMs: null,
    deadlineMs: null,
    freshness: null,
    ...given,
    steps,
  };
}

/** A map over one literal list, of one axis named `item`. */
export function mapOver(list: Json, given: Partial<MapDefinition> = {}): MapDefinition {
  return { axes: [{ name: 'item', over: { literal: list } }], concurrency: null, lengthMax: 1024, ...given };
}

/** The rule of a challenge whose model is better by any gain in the area under the curve, and which promotes nothing. */
export const anyGain = {
  model: 'churn',
  task: 'binary',
  metric: 'roc_auc',
  threshold: null,
  minAbsoluteChange: 0,
  minRelativeChange: 0,
  confidence: 0.95,
  guardrails: [],
  promote: 'never',
} as const;

export const works = {
  branch: (choices: readonly string[]): Work => ({ kind: 'branch', file: 'p.ts', input: { literal: null }, choices }),
  shortCircuit: (ignoreDownstreamTriggerRules = true): Work => ({
    kind: 'short-circuit',
    file: 'p.ts',
    input: { literal: null },
    ignoreDownstreamTriggerRules,
  }),
  gate: (): Work => ({ kind: 'gate', data: { literal: 'data.csv' }, checks: [] }),
  /** Of the model that the step `train` gives. */
  challenge: (given: Partial<ChallengeWork> = {}): Work => ({
    kind: 'challenge',
    ...anyGain,
    challenger: { reference: { output: 'train', path: ['model'] } },
    score: null,
    predictions: null,
    ...given,
  }),
  wait: (given: { intervalMs: number; timeoutMs: number; softFail: boolean }): Work => ({
    kind: 'wait',
    for: { condition: 'file', path: 'data.csv' },
    ...given,
  }),
  until: (given: { intervalMs: number; timeoutMs: number; softFail: boolean }): Work => ({
    kind: 'wait',
    for: { condition: 'function', file: 'p.ts', input: { literal: null } },
    ...given,
  }),
  approval: (given: Partial<ApprovalWork> = {}): Work => ({
    kind: 'approval',
    message: null,
    timeoutMs: 60_000,
    onReject: 'fail',
    softFail: false,
    ...given,
  }),
} as const;
