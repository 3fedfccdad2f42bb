/**
 * What the configuration says of all pods gives way to what a step says with options of its own, as what a pipeline says
 * does in a definition (src/pipeline/pod-options.ts). And words give way to the memory of a step: it is in them where they
 * gave it, and may have grown since.
 */
import { isJsonObject, type Json, type JsonObject } from '../../std/json.ts';
import { amountOf } from '../../std/quantity.ts';

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
    requests: (name, amount) => !Object.hasOwn(own.requests, name) && !(amount > amountIn(limits, name)),
    limits: (name, amount) => !Object.hasOwn(own.limits, name) && !(amount < amountIn(requests, name)),
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
    requests: (name, amount) => name !== 'memory' || amount <= limitBytes,
    limits: (name) => name !== 'memory',
  });
}

type Keep = (name: string, amount: number) => boolean;

function withQuantities(words: JsonObject, keep: { readonly requests: Keep; readonly limits: Keep }): JsonObject {
  const { resources } = words;
  if (!isJsonObject(resources)) return words;
  const kept = (kind: 'requests' | 'limits'): JsonObject => {
    if (!isJsonObject(resources[kind])) return {};
    const quantities = Object.entries(resources[kind]);
    return { [kind]: Object.fromEntries(quantities.filter(([name, value]) => keep[kind](name, amount(value)))) };
  };
  return { ...words, resources: { ...resources, ...kept('requests'), ...kept('limits') } };
}

function quantitiesIn(resources: JsonObject, kind: 'requests' | 'limits'): Quantities {
  return isJsonObject(resources[kind]) ? resources[kind] : {};
}

/** NaN where it is not said: nothing is above or below that. */
function amountIn(quantities: Quantities | undefined, name: string): number {
  return amount(quantities?.[name]);
}

function amount(value: Json | undefined): number {
  return typeof value === 'number' ? value : typeof value === 'string' ? amountOf(value) : Number.NaN;
}
