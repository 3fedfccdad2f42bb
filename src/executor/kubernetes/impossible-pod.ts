/**
 * What of a pod cannot be: a mount of a volume that it has not, a request above its limit. Each layer that says something of
 * it may be right by itself, and values of the run are known last; so it is told here, before the cluster refuses it in its words.
 */
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { AttemptRefusal } from '../local/refusal.ts';
import { amountOf } from '../../std/quantity.ts';

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
  const name = Object.keys(requests).find((each) => amountIn(requests, each) > amountIn(limits, each));
  if (name === undefined) return null;
  const help = 'Request less or raise the limit, where the step, its pipeline or contender.yaml says one of them.';
  return `requests ${requests[name]} of ${name}, more than its limit of ${limits[name]}. ${help}`;
}

/** NaN where it is not said: nothing is above or below that. */
function amountIn(quantities: { readonly [resource: string]: string | number }, name: string): number {
  return amountOf(String(quantities[name]));
}
