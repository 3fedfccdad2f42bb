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
  if (places.length === 0) return noLength(definition, step.value);
  const bounds = `Give a whole number from 0 to ${lengthMax}.`;
  if (!/^\d+$/.test(value)) return mistake(`"${value}" is no length of what step "${name}" is mapped over`, bounds);
  if (Number(value) > lengthMax) return mistake(`step "${name}" cannot be mapped over ${value} elements here`, bounds);
  return success({ places, length: Number(value) });
}

/** Of a step that is mapped over no output whose length could be pretended. */
function noLength(definition: PipelineDefinition, step: StepDefinition): Result<never, Problem> {
  const label = `step "${step.name}"`;
  const mapped = definition.steps.filter((each) => placesOf(definition, each).length > 0);
  if (step.map === null) {
    const over = mapped.filter((each) => placesOf(definition, each).some(({ output }) => output === step.name));
    const [first] = over;
    if (first !== undefined) {
      const names = `${listOf(over)} ${over.length === 1 ? 'is' : 'are'}`;
      const help = `Say it of ${over.length === 1 ? 'that one' : 'one of those'}: --length ${first.name}=3`;
      return mistake(`${label} is not mapped itself: ${names} mapped over its output`, help);
    }
    const are = mapped.length === 1 ? 'is mapped over an output' : 'are mapped over outputs';
    const others = mapped.length === 0 ? '' : `; ${listOf(mapped)} ${are}`;
    return mistake(`${label} is not mapped, so it has no length`, `Leave that --length out${others}.`);
  }
  const [results] = step.map.axes.flatMap(({ over }) =>
    'reference' in over && 'output' in over.reference ? [over.reference.output] : [],
  );
  if (results === undefined)
    return mistake(
      `${label} is mapped over what the definition holds, whose length is known`,
      'Leave that --length out.',
    );
  return mistake(
    `${label} is mapped over the results of "${results}", as many as that has instances`,
    `Say how many those are, with --length ${results}=3, or leave it out.`,
  );
}

function listOf(steps: readonly StepDefinition[]): string {
  return steps.map(({ name }) => name).join(', ');
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
