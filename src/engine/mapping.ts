/** How many instances a mapped step has, and which elements each of them is for. */
import type { Binding } from '../pipeline/definition.ts';
import { definitionLimits } from '../pipeline/definition-limits.ts';
import { failure, success, type Result } from '../std/result.ts';
import type { Run, Step } from './run.ts';
import { lengthOf, outputAt, parameterOf } from './value.ts';

/** The product of the lengths of the axes of `step`, or a sentence why it cannot be mapped. */
export function mappedLength(run: Run, step: Step): Result<number, string> {
  const { map } = step.definition;
  if (map === null) return success(1);
  const lengths: number[] = [];
  for (const { name, over } of map.axes) {
    const length = axisLength(run, over);
    if (!length.ok) return failure(`cannot map "${name}": ${length.error}`);
    lengths.push(length.value);
  }
  const product = lengths.reduce((total, length) => total * length, 1);
  if (product <= map.lengthMax) return success(product);
  const factors = lengths.length === 1 ? '' : ` (${lengths.join(' × ')})`;
  const { mapLengthMax } = definitionLimits;
  const help =
    map.lengthMax < mapLengthMax
      ? `raise maxLength of the map (at most ${mapLengthMax}), or map over fewer`
      : 'map over fewer';
  return failure(`maps over ${product} elements${factors}, more than its limit of ${map.lengthMax}: ${help}`);
}

/** For each axis of `step`, in order: its name, what it is over, and the place in it that instance `index` is for. */
export function placesOf(run: Run, step: Step, index: number): { name: string; over: Binding; place: number }[] {
  const places: { name: string; over: Binding; place: number }[] = [];
  let rest = index;
  for (const { name, over } of (step.definition.map?.axes ?? []).toReversed()) {
    const length = axisLength(run, over);
    // The length was found when the step was mapped, and what it is over has not changed since.
    if (!length.ok || length.value === 0) return [];
    places.unshift({ name, over, place: rest % length.value });
    rest = Math.floor(rest / length.value);
  }
  return places;
}

function axisLength(run: Run, over: Binding): Result<number, string> {
  if ('list' in over) return success(over.list.length);
  if ('record' in over) return success(Object.keys(over.record).length);
  if ('template' in over) return failure('it is over text, not a list or a record');
  if ('literal' in over) return named('its literal value', lengthOf({ kind: 'json', json: over.literal }));
  const { reference } = over;
  if ('context' in reference) return failure(`"${reference.context}" of the context is text, not a list or a record`);
  if ('parameter' in reference) {
    const { parameter } = reference;
    const json = parameterOf(run, parameter);
    return json === null
      ? failure(`parameter "${parameter}" was not given`)
      : named(`parameter "${parameter}"`, lengthOf({ kind: 'json', json }));
  }
  if ('item' in reference) return failure(`it is over "${reference.item}", the element of another axis`);
  const { output, path } = reference;
  const value = outputAt(run, output, path);
  if (!value.ok) return value;
  const label =
    path.length === 0 ? `the output of step "${output}"` : `"${path.join('.')}" of the output of step "${output}"`;
  return named(label, lengthOf(value.value));
}

function named(label: string, length: Result<number, string>): Result<number, string> {
  return length.ok ? length : failure(`${label} ${length.error}`);
}
