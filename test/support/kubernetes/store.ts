/**
 * The objects of one kind, with all that happened to them since the oldest version that is kept. An object is never
 * changed, only put in the place of another; every put and every removal takes the next number of the one counter that all
 * kinds share.
 */
import type { Resource } from './wire.ts';

export interface Change<T> {
  readonly version: number;
  /** null: it is gone, and `before` is what it was, under the version of its end. */
  readonly now: T | null;
  readonly before: T | null;
}

export interface Versions {
  next(): number;
  current(): number;
}

export interface Store<T extends Resource> {
  get(namespace: string, name: string): T | null;
  /** In the order of their names. */
  list(namespace: string): readonly T[];
  all(): readonly T[];
  put(object: T): T;
  remove(namespace: string, name: string): void;
  /** After this version, in order. */
  since(version: number): readonly Change<T>[];
  /** The version before the first change that is kept. */
  oldest(): number;
  /** Of what happened until now, nothing is kept. */
  forget(): void;
  /** Calls until the answer is called. */
  listen(listener: (change: Change<T>) => void): () => void;
}

/** As in etcd it begins somewhere, not at 1. */
export function countVersions(first = 1000): Versions {
  let version = first;
  return { next: () => (version += 1), current: () => version };
}

export function createStore<T extends Resource>(versions: Versions): Store<T> {
  const objects = new Map<string, T>();
  const listeners = new Set<(change: Change<T>) => void>();
  let changes: Change<T>[] = [];
  let oldest = versions.current();
  const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
  const tell = (change: Change<T>): void => {
    changes.push(change);
    for (const listener of listeners) listener(change);
  };
  const numbered = (object: T, version: number): T => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(version) },
  });
  return {
    get: (namespace, name) => objects.get(keyOf(namespace, name)) ?? null,
    list: (namespace) =>
      [...objects.values()]
        .filter((object) => object.metadata.namespace === namespace)
        .sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1)),
    all: () => [...objects.values()],
    put(object) {
      const key = keyOf(object.metadata.namespace, object.metadata.name);
      const version = versions.next();
      const now = numbered(object, version);
      const before = objects.get(key) ?? null;
      objects.set(key, now);
      tell({ version, now, before });
      return now;
    },
    remove(namespace, name) {
      const key = keyOf(namespace, name);
      const before = objects.get(key);
      if (before === undefined) return;
      const version = versions.next();
      objects.delete(key);
      tell({ version, now: null, before });
    },
    since: (version) => changes.filter((change) => change.version > version),
    oldest: () => oldest,
    forget() {
      changes = [];
      oldest = versions.current();
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
