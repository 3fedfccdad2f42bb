/** A container as its definition has it, with its texts put together: where its inputs lie, its helper will have put them. */
import { agentFolder, placesIn } from '../agent/places.ts';
import { isJsonObject, type JsonObject } from '../../std/json.ts';
import type { AttemptWork, InputValue } from '../executor.ts';
import { openInputs, resolveArguments, resolveCommand } from '../local/inputs.ts';
import type { StoredValues } from '../local/stored-values.ts';
import type { ResolvedContainer } from './pod.ts';

/** What a step says of its pod, without a value of the run that is still to be looked up. */
export async function resolveWords(pod: InputValue | null, stored: StoredValues): Promise<JsonObject> {
  if (pod === null) return {};
  const said = await openInputs(() => Promise.resolve(), stored, placesIn(agentFolder).inputs).json(pod);
  return isJsonObject(said) ? said : {};
}

/** Throws a refusal where something that it uses is not there. */
export async function resolveContainer(
  work: Extract<AttemptWork, { kind: 'container' }>,
  stored: StoredValues,
): Promise<ResolvedContainer> {
  const inputs = openInputs(() => Promise.resolve(), stored, placesIn(agentFolder).inputs);
  const { command, environment } = await resolveCommand(work, inputs);
  const args = await resolveArguments(work.args, inputs);
  return { image: await inputs.text(work.image), command, args, environment, resources: work.resources };
}
