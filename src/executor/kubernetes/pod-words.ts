/**
 * A pod with what the configuration, the pipeline and the step say of it (docs/pods.md) laid over what Contender makes:
 * first the words, each where Kubernetes has it, then the patch, which reaches everything.
 */
import type { V1Pod } from '@kubernetes/client-node';
import { mergePods } from '../../pipeline/pod-merge.ts';
import { podWords } from '../../pipeline/pod.ts';
import { isJsonObject, type Json, type JsonObject } from '../../std/json.ts';
import { AttemptRefusal } from '../local/refusal.ts';
import { mainContainer } from './pod-end.ts';

/** Of each container, of ours too. */
export const unprivileged = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

/** `wider`: what the configuration says. `closer`: what the step says, whose nulls take that away. */
export function mergedWords(wider: JsonObject, closer: JsonObject): JsonObject {
  const { patch, ...words } = mergePods(wider, closer);
  const said = withoutNulls(words);
  // Of a patch they take away what Contender says.
  return patch === undefined || patch === null ? said : { ...said, patch };
}

/** Throws a refusal where they cannot be those of one pod. */
export function withWords(pod: V1Pod, words: JsonObject): V1Pod {
  const { patch } = words;
  const said = mergePods(plain(pod), podFrom(words));
  const patched = isJsonObject(patch) ? mergePods(said, patch) : said;
  return withoutNulls(patched);
}

/** The words where Kubernetes has them. */
function podFrom(words: JsonObject): JsonObject {
  const init = containersIn(words['initContainers']);
  const sidecars = containersIn(words['sidecars']).map((container) => ({ ...container, restartPolicy: 'Always' }));
  const container = isJsonObject(words['container']) ? words['container'] : {};
  const { namespace: _namespace, ...metadata } = pick(words, podWords.V1ObjectMeta);
  const { initContainers: _init, ...spec } = pick(words, podWords.V1PodSpec);
  const before = [...init, ...sidecars];
  refuseRepeated(before);
  return {
    metadata,
    spec: {
      ...spec,
      ...(before.length === 0 ? {} : { initContainers: before }),
      containers: [{ name: mainContainer, ...mergePods(pick(words, podWords.V1Container), container) }],
    },
  };
}

/** Of those who each say something of the pod, none has seen both. */
function refuseRepeated(containers: readonly JsonObject[]): void {
  const names = containers.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated === undefined) return;
  const help =
    'Give each of `initContainers` and `sidecars` a name of its own, in the definition and in `executor.kubernetes.pod`.';
  throw new AttemptRefusal('invalid', `two containers of its pod are called ${JSON.stringify(repeated)}. ${help}`);
}

function pick(from: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = from[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** As the profile `restricted` wants them, where they say nothing else. */
function containersIn(value: Json | undefined): readonly JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.filter((container) => isJsonObject(container)).map(restricted);
}

function restricted(container: JsonObject): JsonObject {
  const { securityContext } = container;
  const said = isJsonObject(securityContext) ? securityContext : {};
  // Kubernetes takes none that is privileged, and may not become it.
  if (said['privileged'] === true) return container;
  return { ...container, securityContext: mergePods(unprivileged, said) };
}

function withoutNulls(value: JsonObject): JsonObject {
  const clean = (inner: Json): Json => {
    if (Array.isArray(inner)) return inner.map(clean);
    return isJsonObject(inner) ? withoutNulls(inner) : inner;
  };
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) =>
      inner === null || inner === undefined ? [] : [[name, clean(inner)]],
    ),
  );
}

/** The elements of a list with a key are found in it by that, so the lists have to be there as they are sent. */
function plain(pod: V1Pod): JsonObject {
  return JSON.parse(JSON.stringify(pod));
}
