/** Secrets and config maps: what may be asked of them, and what pods read from them. */
import { randomUUID } from 'node:crypto';
import { bodyOf, type ApiRequest } from './requests.ts';
import { labelSelectorOf } from './selectors.ts';
import { alreadyExists, noSuchResource, notFound, Refusal } from './status.ts';
import { createStore, type Store, type Versions } from './store.ts';
import { listOf, watchOf, type Kind, type Stream } from './watch.ts';
import { timeOf, type Pod, type Resource } from './wire.ts';

export type ConfigurationKind = 'Secret' | 'ConfigMap';

interface Entries extends Resource {
  readonly kind: ConfigurationKind;
  readonly apiVersion: 'v1';
  /** Of a secret in base 64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface Configuration {
  /** null: there is none of that name. */
  read(kind: ConfigurationKind, namespace: string, name: string): ReadonlyMap<string, Buffer> | null;
  /** Until one is made. */
  changed(): Promise<void>;
  answer(request: ApiRequest): { readonly code: number; readonly body: object } | Stream;
}

const kinds: Readonly<Record<string, ConfigurationKind>> = { secrets: 'Secret', configmaps: 'ConfigMap' };

/** What belongs to a pod goes with it. */
export function createConfiguration(versions: Versions, pods: Store<Pod>): Configuration {
  const stores = { Secret: createStore<Entries>(versions), ConfigMap: createStore<Entries>(versions) } as const;
  let change = Promise.withResolvers<void>();
  for (const store of Object.values(stores)) {
    store.listen(() => {
      change.resolve();
      change = Promise.withResolvers<void>();
    });
    pods.listen(({ now, before }) => {
      if (now === null && before !== null) removeOwned(store, before.metadata.uid);
    });
  }
  return {
    read(kind, namespace, name) {
      const found = stores[kind].get(namespace, name);
      if (found === null) return null;
      const encoding = kind === 'Secret' ? 'base64' : 'utf8';
      return new Map(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]));
    },
    changed: () => change.promise,
    answer(request) {
      const kind = kinds[request.resource];
      if (kind === undefined) throw new Refusal(noSuchResource());
      return answerOf(request, kind, stores[kind], versions);
    },
  };
}

function removeOwned(store: Store<Entries>, uid: string): void {
  for (const { metadata } of store.all())
    if (metadata.ownerReferences?.some((owner) => owner.uid === uid) === true)
      store.remove(metadata.namespace, metadata.name);
}

function answerOf(request: ApiRequest, name: ConfigurationKind, store: Store<Entries>, versions: Versions) {
  const { verb, resource, namespace } = request;
  const selects: Kind<Entries>['selects'] = ({ query }) => {
    const byLabel = labelSelectorOf(query.get('labelSelector') ?? '');
    return ({ metadata }) => byLabel(metadata.labels);
  };
  const kind: Kind<Entries> = { name, store, selects };
  if (verb === 'list') return { code: 200, body: listOf(kind, request, versions.current()) };
  if (verb === 'watch') return watchOf(kind, request, () => versions.current());
  if (verb === 'create') {
    const made = madeOf(request, name);
    if (store.get(namespace, made.metadata.name) !== null)
      throw new Refusal(alreadyExists(resource, made.metadata.name));
    return { code: 201, body: store.put(made) };
  }
  const found = store.get(namespace, request.name);
  if (found === null) throw new Refusal(notFound(resource, request.name));
  if (verb === 'get') return { code: 200, body: found };
  if (verb !== 'delete') throw new Refusal(noSuchResource());
  store.remove(namespace, request.name);
  const details = { name: request.name, kind: resource, uid: found.metadata.uid };
  return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}

function madeOf(request: ApiRequest, kind: ConfigurationKind): Entries {
  const { metadata, data, stringData } = bodyOf(request, kind) as {
    metadata: { name: string };
    data?: Record<string, string>;
    stringData?: Record<string, string>;
  };
  const encoded = Object.entries(stringData ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const entries: Record<string, string> = { ...data, ...Object.fromEntries(encoded) };
  const { namespace } = request;
  const born = { namespace, uid: randomUUID(), resourceVersion: '', creationTimestamp: timeOf() };
  return {
    kind,
    apiVersion: 'v1',
    metadata: { ...metadata, ...born },
    ...(Object.keys(entries).length === 0 ? {} : { data: entries }),
    ...(kind === 'Secret' ? { type: 'Opaque' } : {}),
  };
}
