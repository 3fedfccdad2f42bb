/** What a reference to a step with declared outputs may name: one of them, or the whole. */
import type { StepDefinition } from './definition.ts';
import { nearest } from './nearest.ts';

/** A sentence and a way out where `path` begins with an output that `step` does not declare; null where all is well. */
export function undeclaredOutput(
  step: StepDefinition,
  path: readonly string[],
): { readonly what: string; readonly help: string } | null {
  // Of a mapped step, the place in the list comes first. Who declares nothing gives whatever it gives.
  const key = path[step.map === null ? 0 : 1];
  if (key === undefined || Object.hasOwn(step.outputs, key)) return null;
  const declared = Object.keys(step.outputs);
  if (declared.length === 0) return null;
  const meant = nearest(key, declared);
  return {
    what: `step "${step.name}" declares no output "${key}"`,
    help: `${meant === null ? '' : `Did you mean "${meant}"? `}It declares ${declared.join(', ')}.`,
  };
}
