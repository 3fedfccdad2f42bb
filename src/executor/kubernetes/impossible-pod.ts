/**
 * What of a pod cannot be: a mount of a volume that it has not, a request that its limit forbids. Each layer that says something of
 * it may be right by itself, and values of the run are known last; so it is told here, before the cluster refuses it in its words.
 */
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { AttemptRefusal } from '../local/refusal.ts';
import { isCounted, isRefusedRequest, requestHelp } from '../../std/quantity.ts';

/** Throws a refusal. */
export function refuseImpossible({ spec }: V1Pod): void {
  const { containers = [], initContainers = [], volumes = [] } = spec ?? {};
  const names = new Set(volumes.map(({ name }) => name));
  for (const container of [...initContainers, ...containers]) {
    const mistake = mountMistake(container, names) ?? requestMistake(container);
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

function requestMistake({ resources }: V1Container): string | null {
  const { requests = {}, limits = {} } = resources ?? {};
  for (const [name, requested] of Object.entries(requests)) {
    const limit = limits[name];
    const words = `requests ${requested} of ${name}`;
    const where = 'The step, its pipeline or contender.yaml says it.';
    if (limit === undefined) {
      if (isCounted(name)) return `${words} without a limit. ${requestHelp(name)} ${where}`;
    } else if (isRefusedRequest(name, requested, limit))
      return `${words}, and its limit is ${limit}. ${requestHelp(name)} ${where}`;
  }
  return null;
}
