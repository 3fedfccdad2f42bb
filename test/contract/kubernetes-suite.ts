/** How the suite of the API of Kubernetes is written: each test has a namespace, and pods with names of its own. */
import assert from 'node:assert/strict';
import { setTimeout as moment } from 'node:timers/promises';
import {
  ApiException,
  Watch,
  type CoreV1Api,
  type KubeConfig,
  type V1Container,
  type V1ContainerStatus,
  type V1Pod,
  type V1PodCondition,
} from '@kubernetes/client-node';

export interface KubernetesUnderTest {
  readonly config: KubeConfig;
  /** Has nothing in it but what the suite puts there. */
  readonly namespace: string;
  readonly close: () => Promise<void>;
}

export interface Given {
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly api: CoreV1Api;
}

/** A test, with a namespace that the others may use as well. */
export type Use = (title: string, body: (given: Given) => Promise<void>) => void;

const secondsMax = 120;

/** A pod of one container, of busybox where it does not say otherwise. */
export function podOf(name: string, container: Partial<V1Container>, more: Partial<V1Pod['spec']> = {}): V1Pod {
  return podWith(name, [{ name: 'main', ...container }], more);
}

export function podWith(name: string, containers: readonly Partial<V1Container>[], more: object = {}): V1Pod {
  const spec = { restartPolicy: 'Never', automountServiceAccountToken: false, ...more };
  return {
    metadata: { name, labels: { pod: name } },
    spec: { ...spec, containers: containers.map(busybox) },
  };
}

export function busybox(container: Partial<V1Container>): V1Container {
  return { name: 'main', image: 'busybox:local', imagePullPolicy: 'Never', ...container };
}

/** A script that says when it is asked to end, and does what it is told then. */
export function untilAsked(then: string): string[] {
  return ['sh', '-c', `trap '${then}' TERM; echo ready; while true; do sleep 0.05; done`];
}

export async function create({ api, namespace }: Given, pod: V1Pod): Promise<V1Pod> {
  return api.createNamespacedPod({ namespace, body: pod });
}

/** Asks until it holds. */
export async function until<T>(what: string, fact: () => Promise<T | null>): Promise<T> {
  const endsAt = performance.now() + secondsMax * 1000;
  for (;;) {
    const found = await fact();
    if (found !== null) return found;
    if (performance.now() > endsAt) throw new Error(`waited in vain for ${what}`);
    await moment(20);
  }
}

export async function untilPod(given: Given, name: string, holds: (pod: V1Pod) => boolean): Promise<V1Pod> {
  let last: V1Pod | null = null;
  try {
    return await until(name, async () => {
      last = await given.api.readNamespacedPod({ namespace: given.namespace, name });
      return holds(last) ? last : null;
    });
  } catch (error) {
    throw new Error(`${name} stands so: ${JSON.stringify(last)}`, { cause: error });
  }
}

/** It has said that its trap is set: see `untilAsked`. */
export async function untilReady({ api, namespace }: Given, name: string, container = 'main'): Promise<void> {
  await until(`${name} to be ready`, async () =>
    (await api.readNamespacedPodLog({ namespace, name, container })).includes('ready') ? true : null,
  );
}

export const isOver = ({ status }: V1Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Of the container of this name. */
export const statusOf = (pod: V1Pod, name = 'main'): V1ContainerStatus | undefined =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].find(
    (status) => status.name === name,
  );

const toldOf = ({ status, reason, message }: V1PodCondition): string =>
  [status, ...(reason === undefined ? [] : [reason]), ...(message === undefined ? [] : [message])].join(' ');
/** By type: status, reason, message. */
export const conditionsOf = (pod: V1Pod): Record<string, string> =>
  Object.fromEntries((pod.status?.conditions ?? []).map((condition) => [condition.type, toldOf(condition)]));

/** The code and the body of a refusal; throws where there is none. */
export async function refusalOf(asked: Promise<unknown>): Promise<{ code: number; status: unknown }> {
  const error: unknown = await asked.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => error,
  );
  if (!(error instanceof ApiException)) throw error;
  const body: unknown = error.body;
  return { code: error.code, status: typeof body === 'string' ? JSON.parse(body) : body };
}

export interface Seen {
  readonly type: string;
  readonly object: V1Pod & { readonly code?: number };
}

export interface Following {
  readonly seen: readonly Seen[];
  /** The end of the stream; an error, or null. */
  readonly ended: Promise<unknown>;
  /** Waits until it holds of something that was seen. */
  until(what: string, holds: (seen: Seen) => boolean): Promise<Seen>;
  stop(): void;
}

/** What a watch tells of the pods of the namespace. */
export async function follow(
  { config, namespace }: Given,
  query: Record<string, string | number | boolean>,
): Promise<Following> {
  const seen: Seen[] = [];
  const ended = Promise.withResolvers<unknown>();
  const controller = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/pods`,
    query,
    (type: string, object: Seen['object']) => void seen.push({ type, object }),
    (error: unknown) => ended.resolve(error ?? null),
  );
  return {
    seen,
    ended: ended.promise,
    until: (what, holds) => until(what, async () => seen.find(holds) ?? null),
    stop: () => controller.abort(),
  };
}
