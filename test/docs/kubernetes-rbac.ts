/** The manifests of docs/kubernetes-rbac.yaml. They name no namespace: it is the one that they are applied to. */
import { parseAllDocuments } from 'yaml';
import { pageOf } from './blocks.ts';

export interface Manifest {
  readonly kind: string;
  readonly metadata: object;
  readonly rules?: unknown;
  readonly roleRef?: unknown;
  readonly subjects?: unknown;
}

export function accessManifests(): readonly Manifest[] {
  return parseAllDocuments(pageOf('kubernetes-rbac.yaml')).map((document) => document.toJS() as Manifest);
}
