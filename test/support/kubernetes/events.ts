/** Events about pods, as scheduler, kubelet and controllers tell them. */
import { randomUUID } from 'node:crypto';
import type { Store } from './store.ts';
import { timeOf, type Metadata, type Pod, type Resource } from './wire.ts';

export interface PodEvent extends Resource {
  readonly kind: 'Event';
  readonly apiVersion: 'v1';
  readonly involvedObject: {
    readonly kind: 'Pod';
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly fieldPath?: string;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface Told {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly from: 'default-scheduler' | 'kubelet' | 'taint-eviction-controller' | 'node-controller';
  /** Of one container. */
  readonly fieldPath?: string;
}

export const nodeName = 'node1';

/** What is told again is counted, and is one event. */
export function recordEvent(store: Store<PodEvent>, pod: Pod, told: Told): void {
  const { namespace, name, uid, resourceVersion } = pod.metadata;
  const known = store
    .list(namespace)
    .find(
      ({ involvedObject, reason, message }) =>
        involvedObject.uid === uid && reason === told.reason && message === told.message,
    );
  const now = timeOf();
  if (known !== undefined) {
    const count = 'count' in known ? Number(known.count) + 1 : 1;
    store.put({ ...known, ...('count' in known ? { count, lastTimestamp: now } : {}) });
    return;
  }
  const { type, reason, message, from, fieldPath } = told;
  const event = {
    kind: 'Event' as const,
    apiVersion: 'v1' as const,
    metadata: metadataOf(namespace, name, now),
    involvedObject: {
      kind: 'Pod' as const,
      namespace,
      name,
      uid,
      apiVersion: 'v1',
      resourceVersion,
      ...(fieldPath === undefined ? {} : { fieldPath }),
    },
    reason,
    message,
    type,
    ...(from === 'default-scheduler' ? ofScheduler() : ofOthers(from, now)),
  };
  store.put(event);
}

function metadataOf(namespace: string, name: string, now: string): Metadata {
  // In the order of their names they are in the order in which they were told.
  const order = process.hrtime.bigint().toString(16).padStart(16, '0');
  return {
    name: `${name}.${order}`,
    namespace,
    uid: randomUUID(),
    resourceVersion: '',
    creationTimestamp: now,
  };
}

/** The scheduler speaks the newer dialect, in which the times and the count are elsewhere. */
function ofScheduler(): object {
  return {
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    eventTime: new Date().toISOString().replace('Z', '000Z'),
    action: 'Binding',
    reportingComponent: 'default-scheduler',
    reportingInstance: 'default-scheduler-vm',
  };
}

function ofOthers(component: string, now: string): object {
  const isKubelet = component === 'kubelet';
  return {
    source: { component, ...(isKubelet ? { host: nodeName } : {}) },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    eventTime: null,
    reportingComponent: component,
    reportingInstance: isKubelet ? nodeName : '',
  };
}
