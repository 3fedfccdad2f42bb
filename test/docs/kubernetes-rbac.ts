/** The manifests of docs/kubernetes-rbac.yaml, for any namespace. */
import { parseAllDocuments } from 'yaml';
import { pageOf } from './blocks.ts';

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly rules?: unknown;
  readonly roleRef?: unknown;
  readonly subjects?: unknown;
}

export function manifestsOf(namespace: string): readonly Manifest[] {
  const text = pageOf('kubernetes-rbac.yaml').replaceAll('namespace: contender', `namespace: ${namespace}`);
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}
