/** The manifests of docs/kubernetes, by their file and kind. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type {
  V1ConfigMap,
  V1Deployment,
  V1Ingress,
  V1Namespace,
  V1NetworkPolicy,
  V1PersistentVolumeClaim,
  V1PodDisruptionBudget,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1Service,
  V1ServiceAccount,
} from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { docs, pageOf } from './blocks.ts';

interface Kinds {
  readonly ConfigMap: V1ConfigMap;
  readonly Deployment: V1Deployment;
  readonly Ingress: V1Ingress;
  readonly Namespace: V1Namespace;
  readonly NetworkPolicy: V1NetworkPolicy;
  readonly PersistentVolumeClaim: V1PersistentVolumeClaim;
  readonly PodDisruptionBudget: V1PodDisruptionBudget;
  readonly Role: V1Role;
  readonly RoleBinding: V1RoleBinding;
  readonly Secret: V1Secret;
  readonly Service: V1Service;
  readonly ServiceAccount: V1ServiceAccount;
}

export type Manifest = { [Kind in keyof Kinds]: Kinds[Kind] & { readonly kind: Kind } }[keyof Kinds];

/** One server, and what it needs. */
export const oneServer = ['namespaces', 'access', 'secret', 'settings', 'server', 'network', 'ingress'] as const;
/** In the place of `settings` and `server`. */
export const severalServers = 'several-servers';
export const optional = ['metrics', 'debug'] as const;

export function manifestFiles(): readonly string[] {
  return readdirSync(join(docs, 'kubernetes')).map((name) => name.replace(/\.yaml$/, ''));
}

/** Those of one file, in order. Throws where the YAML is broken. */
export function manifestsOf(file: string): readonly Manifest[] {
  return parseAllDocuments(pageOf(`kubernetes/${file}.yaml`)).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

export function allOf<Kind extends keyof Kinds>(
  file: string,
  kind: Kind,
): readonly Extract<Manifest, { kind: Kind }>[] {
  return manifestsOf(file).filter((each): each is Extract<Manifest, { kind: Kind }> => each.kind === kind);
}

/** The first of its kind. Throws where there is none. */
export function oneOf<Kind extends keyof Kinds>(file: string, kind: Kind): Extract<Manifest, { kind: Kind }> {
  const [found] = allOf(file, kind);
  if (found === undefined) throw new Error(`docs/kubernetes/${file}.yaml has no ${kind}`);
  return found;
}
