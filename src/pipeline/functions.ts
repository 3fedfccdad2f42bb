/** What the runner and compile read from the default export of a definition file. */
import { contentsKey, type PipelineContents } from './pipeline.ts';

/** What is inside of a pipeline, or null where the value is none. */
export function contentsOf(value: unknown): PipelineContents | null {
  if (typeof value !== 'object' || value === null || !(contentsKey in value)) return null;
  // Only `pipeline` writes under this symbol; compile proves the data again.
  return value[contentsKey] as PipelineContents;
}

/** The function of a step (its `run`, the `score` of a challenge), or null where it has none. */
export function functionOf(
  pipelineDefault: unknown,
  step: string,
): ((input: unknown, context: unknown) => unknown) | null {
  const found = contentsOf(pipelineDefault)?.functions.get(step);
  // The input that the runner gives has the shape of the step's own bindings.
  return (found as ((input: unknown, context: unknown) => unknown) | undefined) ?? null;
}
