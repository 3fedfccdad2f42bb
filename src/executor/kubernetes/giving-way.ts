/**
 * What the configuration says of all pods gives way to what a step says with options of its own, as what a pipeline says
 * does in a definition (src/pipeline/pod-options.ts). And words give way to the memory of a step: it is in them where they
 * gave it, and may have grown since.
 */
import { isJsonObject, type Json, type JsonObject } from '../../std/json.ts';
import { amountOf, isRefusedRequest } from '../../std/quantity.ts';

type Quantities = { readonly [resource: string]: Json };

/** What a `container` says with its own options. */
interface OwnOptions {
  readonly environment: { readonly [name: string]: string };
  readonly resources: { readonly requests: Quantities; readonly limits: Quantities };
}

/** `words`: what the step says of its pod. An image of the configuration is one with the agent in it. */
export function givingWay(configured: JsonObject, container: OwnOptions | null, words: JsonObject): JsonObject {
  const resources = isJsonObject(words['resources']) ? words['resources'] : {};
  const [requests, limits] = (['requests', 'limits'] as const).map((kind) => ({
    ...quantitiesIn(resources, kind),
    ...container?.resources[kind],
  }));
  const own = container?.resources ?? { requests: {}, limits: {} };
  const rest = withQuantities(configured, {
    requests: (name, requested) =>
      !Object.hasOwn(own.requests, name) && !isRefusedRequest(name, requested, shown(limits?.[name])),
    limits: (name, limit) =>
      !Object.hasOwn(own.limits, name) && !isRefusedRequest(name, shown(requests?.[name]), limit),
  });
  if (container === null) return rest;
  const { image: _image, env, ...others } = rest;
  if (!Array.isArray(env)) return others;
  const variables = new Set<Json>(Object.keys(container.environment));
  return {
    ...others,
    env: env.filter((variable) => !isJsonObject(variable) || !variables.has(variable['name'] ?? null)),
  };
}

/** Kubernetes takes no request above the limit. */
export function withinMemory(words: JsonObject, limitBytes: number): JsonObject {
  return withQuantities(words, {
    requests: (name, requested) => name !== 'memory' || amountOf(requested) <= limitBytes,
    limits: (name) => name !== 'memory',
  });
}

type Keep = (name: string, quantity: string) => boolean;

function withQuantities(words: JsonObject, keep: { readonly requests: Keep; readonly limits: Keep }): JsonObject {
  const { resources } = words;
  if (!isJsonObject(resources)) return words;
  const kept = (kind: 'requests' | 'limits'): JsonObject => {
    if (!isJsonObject(resources[kind])) return {};
    const quantities = Object.entries(resources[kind]);
    return { [kind]: Object.fromEntries(quantities.filter(([name, value]) => keep[kind](name, shown(value)))) };
  };
  return { ...words, resources: { ...resources, ...kept('requests'), ...kept('limits') } };
}

function quantitiesIn(resources: JsonObject, kind: 'requests' | 'limits'): Quantities {
  return isJsonObject(resources[kind]) ? resources[kind] : {};
}

/** Empty where it is not said. */
function shown(value: Json | undefined): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
}
