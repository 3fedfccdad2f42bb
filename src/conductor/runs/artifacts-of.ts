/** The artifacts that an output of an earlier run holds, or is, for whoever hands it on. */
import type { StepOutput } from '../../engine/event.ts';
import type { Artifact } from '../../pipeline/definition.ts';
import type { ArtifactUses } from '../../outputs/outputs.ts';
import { isJsonObject, type Json } from '../../std/json.ts';

/**
 * They count as new from now on, before anything is kept that names them: what removes old ones leaves them, or has removed
 * one already. Gives why the output cannot be handed on, or null.
 */
export async function useArtifactsOf(output: StepOutput, artifacts: ArtifactUses): Promise<string | null> {
  for (const { $artifact, name } of artifactsOf(output))
    if (!(await artifacts.use($artifact))) return `${name} is no longer stored`;
  if (!('stored' in output)) return null;
  const { name, $artifact } = output.stored;
  const inner = await artifacts.namedIn($artifact);
  if (inner === null) return `${name} cannot be read`;
  for (const sha256 of inner)
    if (!(await artifacts.use(sha256))) return `an artifact that ${name} names, ${sha256}, is no longer stored`;
  return null;
}

function artifactsOf(output: StepOutput): readonly Artifact[] {
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
