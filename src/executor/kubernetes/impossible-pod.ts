/**
 * What of a pod cannot be: a mount of a volume that it has not. Each layer that says something of
 * it may be right by itself, and values of the run are known last; so it is told here, before the cluster refuses it in its words.
 */
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { AttemptRefusal } from '../local/refusal.ts';

/** Throws a refusal. */
export function refuseImpossible({ spec }: V1Pod): void {
  const { containers = [], initContainers = [], volumes = [] } = spec ?? {};
  const names = new Set(volumes.map(({ name }) => name));
  for (const container of [...initContainers, ...containers]) {
    const mistake = mountMistake(container, names);
    if (mistake !== null) throw new AttemptRefusal('invalid', `its container ${container.name} ${mistake}`);
  }
}

function mountMistake(
  { volumeMounts = [], volumeDevices = [] }: V1Container,
  names: ReadonlySet<string>,
): string | null {
  const lacking = [...volumeMounts, ...volumeDevices].find(({ name }) => !names.has(name));
  if (lacking === undefined) return null;
  const help =
    'Declare it in `volumes` of the `pod` of the step, of its pipeline or of contender.yaml, or correct the name.';
  return `mounts the volume ${JSON.stringify(lacking.name)}, and there is no such volume. ${help}`;
}
