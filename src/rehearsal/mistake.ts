/** What cannot be pretended of a pipeline, and the words that can. */
import type { PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import { nearest } from '../pipeline/nearest.ts';
import type { Problem } from '../std/problem.ts';
import { failure, success, type Result } from '../std/result.ts';

export function mistake(message: string, help: string): { readonly ok: false; readonly error: Problem } {
  return failure({ code: 'pretence-invalid', message, where: null, help });
}

/** The mistake of a word that is none of `known`. */
export function unknownWord(
  message: string,
  word: string,
  known: readonly string[],
): { readonly ok: false; readonly error: Problem } {
  const meant = nearest(word, known);
  return mistake(message, `${meant === null ? '' : `Did you mean "${meant}"? `}There are: ${known.join(', ')}.`);
}

export function findStep(definition: PipelineDefinition, name: string): Result<StepDefinition, Problem> {
  const step = definition.steps.find((candidate) => candidate.name === name);
  if (step !== undefined) return success(step);
  const names = definition.steps.map((candidate) => candidate.name);
  return unknownWord(`pipeline "${definition.name}" has no step "${name}"`, name, names);
}

/** `train=failed` as its two halves. */
export function splitGiven(text: string, example: string): Result<readonly [name: string, value: string], Problem> {
  const at = text.indexOf('=');
  if (at < 1) return mistake(`"${text}" does not say what is pretended of which step`, `Write it as ${example}.`);
  return success([text.slice(0, at), text.slice(at + 1)]);
}
