/**
 * How long the outputs are that steps are mapped over. A pretended output holds nothing, but its lists have a length:
 * three, unless `--length` says otherwise.
 */
import type { Binding, PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../std/problem.ts';
import { success, type Result } from '../std/result.ts';
import { findStep, mistake, splitGiven } from './mistake.ts';

/** By step: the lengths inside of its output, by path, as in a stored output. */
export type OutputLengths = ReadonlyMap<string, { readonly [path: string]: number }>;

const lengthUsual = 3;
const lengthMax = 1_000_000;

/** A list in an output that a step is mapped over. */
interface Place {
  readonly output: string;
  /** Inside of the output of one instance, joined with `.`. */
  readonly path: string;
}

export interface PretendedLengths {
  readonly lengths: OutputLengths;
  /** A sentence for each list whose length nobody gave. */
  readonly assumed: readonly string[];
}

export function readLengths(
  definition: PipelineDefinition,
  given: readonly string[],
): Result<PretendedLengths, Problem> {
  const lengths = new Map<string, { [path: string]: number }>();
  for (const text of given) {
    const read = readLength(definition, text);
    if (!read.ok) return read;
    for (const { output, path } of read.value.places) {
      const known = lengths.get(output)?.[path];
      if (known !== undefined && known !== read.value.length) {
        return mistake(
          `the output of step "${output}" cannot have both ${known} and ${read.value.length} elements`,
          'Give one length for the steps that are mapped over the same output.',
        );
      }
      lengths.set(output, { ...lengths.get(output), [path]: read.value.length });
    }
  }
  const assumed: string[] = [];
  for (const step of definition.steps) {
    for (const { output, path } of placesOf(definition, step)) {
      if (lengths.get(output)?.[path] !== undefined) continue;
      lengths.set(output, { ...lengths.get(output), [path]: lengthUsual });
      assumed.push(`${step.name} is mapped over ${lengthUsual} elements of the output of ${output}`);
    }
  }
  return success({ lengths, assumed });
}

function readLength(
  definition: PipelineDefinition,
  text: string,
): Result<{ readonly places: readonly Place[]; readonly length: number }, Problem> {
  const split = splitGiven(text, '--length train=3');
  if (!split.ok) return split;
  const [name, value] = split.value;
  const step = findStep(definition, name);
  if (!step.ok) return step;
  const places = placesOf(definition, step.value);
  if (places.length === 0) {
    const why = step.value.map === null ? 'is not mapped' : 'is mapped over what is known already';
    return mistake(`step "${name}" ${why}, so its length cannot be pretended`, 'Leave that --length out.');
  }
  if (!/^\d{1,9}$/.test(value) || Number(value) > lengthMax) {
    return mistake(`"${value}" is no length of what step "${name}" is mapped over`, `A number from 0 to ${lengthMax}.`);
  }
  return success({ places, length: Number(value) });
}

/** Of a step that is mapped over outputs: where in them. The results of a mapped step are as many as succeeded. */
function placesOf(definition: PipelineDefinition, step: StepDefinition): readonly Place[] {
  return (step.map?.axes ?? []).flatMap(({ over }) => placeOf(definition, over) ?? []);
}

function placeOf(definition: PipelineDefinition, over: Binding): Place | null {
  if (!('reference' in over) || !('output' in over.reference)) return null;
  const { output, path } = over.reference;
  const isMapped = definition.steps.some((step) => step.name === output && step.map !== null);
  if (!isMapped) return { output, path: path.join('.') };
  return path.length === 0 ? null : { output, path: path.slice(1).join('.') };
}
