/** What text from the sandbox has to be: exactly the contract of definition.ts, proved by the compiler in both directions. */
import { z } from 'zod';
import {
  awaitedRunStates,
  awaitedStepStates,
  binaryMetrics,
  contextNames,
  endStates,
  regressionMetrics,
  triggerRules,
  type ApprovalWork,
  type Binding,
  type CacheDefinition,
  type ChallengeWork,
  type ContainerWork,
  type DatasetUpdate,
  type DataTrigger,
  type EndTrigger,
  type Environment,
  type GateCheck,
  type GateWork,
  type MapDefinition,
  type MemoryDefinition,
  type NotifyDefinition,
  type OutputType,
  type PipelineDefinition,
  type Reference,
  type RetryDefinition,
  type ScoreDefinition,
  type StepDefinition,
  type Template,
  type TriggerDefinition,
  type WaitWork,
  type Work,
} from '../pipeline/definition.ts';
import { definitionLimits } from '../pipeline/definition-limits.ts';
import { itemTypes, parameterItemsMax, parameterTypes, type ParameterDefinition } from '../pipeline/parameter.ts';
import {
  datasetNamePattern,
  environmentNamePattern,
  identifierPattern,
  pipelineNamePattern,
  stepNamePattern,
} from '../pipeline/names.ts';
import { globMistake } from '../std/glob.ts';

const limits = definitionLimits;
const yearMs = 366 * 86_400_000;

const text = z.string().max(limits.textLengthMax);
const line = z.string().min(1).max(4096);
const durationMs = z.number().min(0).max(yearMs);
const stepName = z.string().max(limits.stepNameLengthMax).regex(stepNamePattern);
const identifier = z.string().regex(identifierPattern);
const texts = z.array(line).max(1000);
const globs = z.array(line.refine((glob) => globMistake(glob) === null, 'a glob that cannot be')).max(1000);
const path = z.array(z.string().max(limits.keyLengthMax)).max(limits.pathLengthMax);
const proportion = z.number().min(0).max(1);
const bound = z.number().nullable();
/** Written by compile, which alone knows the file's name. */
const file = z.string().max(1024);

const reference: z.ZodType<Reference> = z.union([
  z.strictObject({ context: z.enum(contextNames) }),
  z.strictObject({ parameter: identifier }),
  z.strictObject({ output: stepName, path }),
  z.strictObject({ item: identifier, path }),
]);

const template: z.ZodType<Template> = z.union([
  text,
  z
    .array(z.union([text, reference]))
    .min(1)
    .max(limits.templatePartsMax),
]);
const templates = z.array(template).max(1000);

const binding: z.ZodType<Binding> = z.lazy(() =>
  z.union([
    z.strictObject({ literal: z.json() }),
    z.strictObject({ reference }),
    z.strictObject({ template }),
    z.strictObject({ list: z.array(binding).max(limits.listLengthMax) }),
    z.strictObject({ record: z.record(z.string().max(limits.keyLengthMax), binding) }),
  ]),
);

const environment: z.ZodType<Environment> = z.record(z.string().regex(environmentNamePattern), template);
const outputType: z.ZodType<OutputType> = z.enum(['string', 'number', 'boolean', 'json', 'artifact']);
const quantities = z.record(
  z
    .string()
    .max(253)
    .regex(/^[a-z0-9A-Z./-]+$/),
  z
    .string()
    .max(32)
    .regex(/^[0-9.]+[A-Za-z]{0,2}$/),
);

const container: z.ZodType<ContainerWork> = z.strictObject({
  kind: z.literal('container'),
  image: template,
  command: templates,
  args: templates,
  environment,
  resources: z.strictObject({ requests: quantities, limits: quantities }),
  localCommand: templates.nullable(),
});

const gateCheck: z.ZodType<GateCheck> = z.union([
  z.strictObject({ check: z.literal('rows'), min: bound, max: bound }),
  z.strictObject({ check: z.literal('nulls'), columns: texts.nullable(), max: proportion }),
  z.strictObject({
    check: z.literal('label'),
    column: line,
    positive: text,
    min: proportion.nullable(),
    max: proportion.nullable(),
  }),
  z.strictObject({ check: z.literal('range'), column: line, min: bound, max: bound }),
  z.strictObject({ check: z.literal('unique'), columns: texts.min(1) }),
  z.strictObject({ check: z.literal('columns'), names: texts.min(1) }),
]);

const gate: z.ZodType<GateWork> = z.strictObject({
  kind: z.literal('gate'),
  data: binding,
  checks: z.array(gateCheck).min(1).max(1000),
});

const score: z.ZodType<ScoreDefinition> = z.union([
  z.strictObject({ kind: z.literal('function'), file, input: binding }),
  z.strictObject({ kind: z.literal('command'), command: templates.min(1), environment }),
]);

const metric = z.enum([...binaryMetrics, ...regressionMetrics]);

const challenge: z.ZodType<ChallengeWork> = z.strictObject({
  kind: z.literal('challenge'),
  model: z.string().regex(pipelineNamePattern),
  challenger: binding,
  score: score.nullable(),
  predictions: binding.nullable(),
  task: z.enum(['binary', 'regression']),
  metric,
  threshold: bound,
  minAbsoluteChange: z.number().min(0),
  minRelativeChange: z.number().min(0),
  confidence: z.number().gt(0).lt(1),
  guardrails: z.array(z.strictObject({ metric, maxLoss: z.number().min(0) })).max(20),
  promote: z.enum(['automatic', 'on-merge', 'on-approval', 'never']),
});

const awaitedRun = {
  pipeline: z.string().regex(pipelineNamePattern),
  date: template,
  shiftMs: z.number().min(-limits.shiftMsMax).max(limits.shiftMsMax),
};

const wait: z.ZodType<WaitWork> = z.strictObject({
  kind: z.literal('wait'),
  for: z.union([
    z.strictObject({ condition: z.literal('file'), path: template }),
    z.strictObject({ condition: z.literal('http'), url: template, status: z.number().int().min(100).max(599) }),
    z.strictObject({
      condition: z.literal('object'),
      url: template,
      store: z.string().regex(pipelineNamePattern).nullable(),
    }),
    z.strictObject({
      ...awaitedRun,
      condition: z.literal('pipeline'),
      states: z.array(z.enum(awaitedRunStates)).min(1).max(awaitedRunStates.length),
      failStates: z.array(z.enum(endStates)).min(1).max(endStates.length).exactOptional(),
    }),
    z.strictObject({
      ...awaitedRun,
      condition: z.literal('step'),
      step: stepName,
      states: z.array(z.enum(awaitedStepStates)).min(1).max(awaitedStepStates.length),
      failStates: z
        .array(z.enum([...awaitedStepStates, 'cancelled']))
        .min(1)
        .max(awaitedStepStates.length + 1)
        .exactOptional(),
    }),
    z.strictObject({ condition: z.literal('function'), file, input: binding }),
  ]),
  intervalMs: durationMs,
  timeoutMs: durationMs,
  softFail: z.boolean(),
});

const approval: z.ZodType<ApprovalWork> = z.strictObject({
  kind: z.literal('approval'),
  message: template.nullable(),
  timeoutMs: durationMs.min(1),
  onReject: z.enum(['fail', 'skip']),
  softFail: z.boolean(),
});

const work: z.ZodType<Work> = z.union([
  z.strictObject({ kind: z.literal('function'), file, input: binding }),
  z.strictObject({ kind: z.literal('command'), command: templates.min(1), environment }),
  container,
  gate,
  challenge,
  z.strictObject({
    kind: z.literal('branch'),
    file,
    input: binding,
    choices: z.array(stepName).min(1).max(limits.stepsMax),
  }),
  z.strictObject({ kind: z.literal('short-circuit'), file, input: binding, ignoreDownstreamTriggerRules: z.boolean() }),
  wait,
  approval,
]);

const retry: z.ZodType<RetryDefinition> = z.strictObject({
  count: z.number().int().min(0).max(limits.retriesMax),
  delayMs: durationMs,
  factor: z.number().min(1).max(100),
  delayMaxMs: durationMs,
});

const map: z.ZodType<MapDefinition> = z.strictObject({
  axes: z
    .array(z.strictObject({ name: identifier, over: binding }))
    .min(1)
    .max(8),
  concurrency: z.number().int().min(1).max(limits.mapLengthMax).nullable(),
  lengthMax: z.number().int().min(1).max(limits.mapLengthMax),
});

const memoryBytes = z.number().int().min(limits.memoryBytesMin).max(limits.memoryBytesMax);
const memory: z.ZodType<MemoryDefinition> = z.strictObject({
  bytes: memoryBytes,
  growth: z
    .strictObject({
      factor: z.number().min(limits.memoryFactorMin).max(limits.memoryFactorMax),
      limitBytes: memoryBytes,
    })
    .exactOptional(),
});

const cache: z.ZodType<CacheDefinition> = z.strictObject({ forMs: durationMs.nullable(), paths: globs });

const dataset = z.string().regex(datasetNamePattern);
const update: z.ZodType<DatasetUpdate> = z.strictObject({ dataset, output: path.nullable() });

const step: z.ZodType<StepDefinition> = z.strictObject({
  name: stepName,
  description: text.nullable(),
  upstream: z.array(stepName).max(limits.stepsMax),
  triggerRule: z.enum(triggerRules),
  finally: z.boolean(),
  retry,
  timeoutMs: durationMs.min(1),
  graceMs: durationMs,
  secrets: z.array(z.string().regex(environmentNamePattern)).max(64),
  cache: cache.nullable(),
  map: map.nullable(),
  pool: z
    .strictObject({
      name: z.string().regex(pipelineNamePattern),
      slots: z.number().int().min(1).max(limits.poolSlotsMax),
    })
    .exactOptional(),
  priority: z.number().int().min(limits.priorityMin).max(limits.priorityMax).exactOptional(),
  queue: z.string().regex(pipelineNamePattern).exactOptional(),
  startTimeoutMs: durationMs.min(1).exactOptional(),
  memory: memory.exactOptional(),
  pod: binding.exactOptional(),
  outputs: z
    .record(identifier, outputType)
    .refine((outputs) => Object.keys(outputs).length <= limits.outputsMax, `more than ${limits.outputsMax} outputs`),
  updates: z.array(update).min(1).max(limits.datasetsMax).exactOptional(),
  work,
});

const count = z.number().int().min(0);
const parameter: z.ZodType<ParameterDefinition> = z.strictObject({
  type: z.enum(parameterTypes),
  default: z
    .union([
      text,
      z.number(),
      z.boolean(),
      z.array(text).max(parameterItemsMax),
      z.array(z.number()).max(parameterItemsMax),
    ])
    .nullable(),
  description: text.nullable(),
  choices: z
    .array(z.union([text, z.number()]))
    .min(1)
    .max(1000)
    .nullable(),
  items: z.enum(itemTypes).exactOptional(),
  minItems: count.exactOptional(),
  maxItems: count.exactOptional(),
  min: z.number().exactOptional(),
  max: z.number().exactOptional(),
  minLength: count.exactOptional(),
  maxLength: count.exactOptional(),
});

const end: z.ZodType<EndTrigger> = z.strictObject({
  name: z.string().regex(pipelineNamePattern),
  states: z.array(z.enum(endStates)).min(1).max(endStates.length),
  branches: globs,
});
const data: z.ZodType<DataTrigger> = z.strictObject({
  datasets: z.array(dataset).min(1).max(limits.datasetsMax),
  when: z.enum(['all', 'any']),
});

const triggers: z.ZodType<TriggerDefinition> = z.strictObject({
  schedule: z.strictObject({ cron: line, timeZone: line, catchup: z.enum(['none', 'latest', 'all']) }).nullable(),
  push: z.strictObject({ branches: globs, tags: globs, paths: globs }).nullable(),
  pullRequest: z.strictObject({ branches: globs, paths: globs }).nullable(),
  pipelines: z.array(end).min(1).max(100).exactOptional(),
  data: data.exactOptional(),
});

const channels = z.array(z.string().regex(pipelineNamePattern)).max(limits.channelsMax);

const notify: z.ZodType<NotifyDefinition> = z.strictObject({
  deadline: channels.exactOptional(),
  failure: channels.exactOptional(),
  recovery: channels.exactOptional(),
  approval: channels.exactOptional(),
});

/** Refuses unknown keys everywhere; what it lets through is a `PipelineDefinition` in shape. */
export const definitionSchema: z.ZodType<PipelineDefinition> = z.strictObject({
  name: z.string().regex(pipelineNamePattern),
  description: text.nullable(),
  owner: line.nullable(),
  tags: texts,
  on: triggers,
  parameters: z.record(identifier, parameter),
  maxActiveRuns: z.number().int().min(1).max(1000),
  overlap: z.enum(['allow', 'forbid', 'replace']),
  cancelInProgress: z.boolean(),
  runTimeoutMs: durationMs.nullable(),
  finallyTimeoutMs: durationMs.exactOptional(),
  deadlineMs: durationMs.nullable(),
  freshness: z.strictObject({ model: line, withinMs: durationMs }).nullable(),
  notify: notify.exactOptional(),
  steps: z.array(step).min(1).max(limits.stepsMax),
});
