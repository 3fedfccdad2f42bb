/** The package `contender`: the words of a definition in `.pipelines/*.ts`, and their types. */
export { branch, shortCircuit, type BranchOptions, type ShortCircuitOptions } from './branch.ts';
export { pipeline, type Pipeline, type PipelineContext, type PipelineOptions } from './pipeline.ts';
export { step, type CommandStepOptions, type FunctionStepOptions } from './step.ts';
export type { AbortSignalLike, StepContext } from './context.ts';
export type { Artifact } from './definition.ts';
export type { Handle } from './handle.ts';
