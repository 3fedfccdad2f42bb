/** The artifacts that an output holds, at any depth, or is. */
import type { StepOutput } from '../../engine/event.ts';
import type { Artifact } from '../../pipeline/definition.ts';
import { isJsonObject, type Json } from '../../std/json.ts';

export function artifactsOf(output: StepOutput): readonly Artifact[] {
  return 'stored' in output ? [output.stored] : [...artifactsIn(output.inline)];
}

function* artifactsIn(json: Json): Generator<Artifact> {
  if (json === null || typeof json !== 'object') return;
  if (isJsonObject(json)) {
    const { $artifact, name, bytes } = json;
    if (typeof $artifact === 'string' && typeof name === 'string' && typeof bytes === 'number')
      yield { $artifact, name, bytes };
  }
  for (const inner of Object.values(json)) yield* artifactsIn(inner);
}
