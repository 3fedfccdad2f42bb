/**
 * What is said of a pod more closely, over what is said of it more widely: a step over its pipeline, a pipeline over the
 * configuration. Objects are merged field by field, and lists whose elements have a key by that key, as the API's own
 * `patchMergeKey` says; of two lists of tolerations both hold; everything else is replaced. An element takes the place of
 * the one with its key, since a variable with two sources, or a volume, is refused by Kubernetes; only containers are
 * merged themselves. A null stays, because it takes away what is said more widely still.
 */
import type { JsonObject } from '../std/json.ts';
import { plainRecord } from './options.ts';

type Fields = Readonly<Record<string, unknown>>;

/** By the name of the field, wherever it stands. */
const elementKeys: Readonly<Record<string, string>> = {
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  imagePullSecrets: 'name',
  resourceClaims: 'name',
  claims: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  ports: 'containerPort',
  containers: 'name',
  initContainers: 'name',
  sidecars: 'name',
};
const containerLists: ReadonlySet<string> = new Set(['containers', 'initContainers', 'sidecars']);

/** Both as the options of a pod are written, handles included; or both as JSON. */
export function mergePods(wider: JsonObject, closer: JsonObject): JsonObject;
export function mergePods(wider: Fields, closer: Fields): Fields;
export function mergePods(wider: Fields, closer: Fields): Fields {
  const merged = new Map(Object.entries(wider));
  for (const [name, value] of Object.entries(closer))
    if (value !== undefined) merged.set(name, mergeField(name, merged.get(name), value));
  return Object.fromEntries(merged);
}

function mergeField(name: string, wider: unknown, closer: unknown): unknown {
  if (Array.isArray(wider) && Array.isArray(closer)) return mergeLists(name, wider, closer);
  const [one, other] = [plainRecord(wider), plainRecord(closer)];
  return one === null || other === null ? closer : mergePods(one, other);
}

/** In the order of the wider one; what is new comes after it. */
function mergeLists(name: string, wider: readonly unknown[], closer: readonly unknown[]): readonly unknown[] {
  if (name === 'tolerations') return [...wider, ...closer];
  const key = elementKeys[name];
  if (key === undefined) return closer;
  const merged = [...wider];
  for (const element of closer) {
    const value = keyOf(element, key);
    const at = value === undefined ? -1 : merged.findIndex((other) => keyOf(other, key) === value);
    if (at < 0) merged.push(element);
    else merged[at] = containerLists.has(name) ? mergeField('', merged[at], element) : element;
  }
  return merged;
}

function keyOf(element: unknown, key: string): unknown {
  return plainRecord(element)?.[key];
}
