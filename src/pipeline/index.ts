/** The package `contender`: the words of a definition in `.pipelines/*.ts`, and their types. */
export { approval, type ApprovalOptions, type ApprovalOutput } from './approval.ts';
export { branch, shortCircuit, type BranchOptions, type ShortCircuitOptions } from './branch.ts';
export {
  challenge,
  type ChallengeOptions,
  type ChallengeResult,
  type ScoreCommandOptions,
  type ScoreFunctionOptions,
  type Scores,
} from './challenge.ts';
export { container, type ContainerOptions, type ResourceOptions } from './container.ts';
export { gate, type GateMeasurement, type GateOptions, type GateOutput } from './gate.ts';
export { group } from './group.ts';
export { map, type Axes, type Elements, type MapOptions } from './map.ts';
export { NonRetryableError } from './non-retryable-error.ts';
export { pipeline, type Pipeline, type PipelineContext, type PipelineOptions } from './pipeline.ts';
export { step, type CommandStepOptions, type FunctionStepOptions } from './step.ts';
export {
  waitFor,
  type AddressSeen,
  type FileSeen,
  type ObjectSeen,
  type RunSeen,
  type StepSeen,
  type WaitOptions,
} from './wait-for.ts';
export type { OutputOptions, Outputs, Text } from './command.ts';
export type { AbortSignalLike, FunctionContext, StepContext, StepTrigger } from './context.ts';
export type { Artifact, MetricName, OutputType, PromotionPolicy, TriggerRule } from './definition.ts';
export type { Handle, Input, Resolved } from './handle.ts';
export type { DataOption, EndOption, UpdatesOption } from './listening.ts';
export type { ParameterOption, ParameterOptions } from './parameters.ts';
export type {
  PodContainer,
  PodFields,
  PodOptions,
  PodResources,
  PodToleration,
  PodVariable,
  PodVolume,
  PodVolumeMount,
} from './pod.ts';
export type { EffortOptions, StepOptions } from './step-options.ts';
export type { TriggerOptions } from './triggers.ts';
