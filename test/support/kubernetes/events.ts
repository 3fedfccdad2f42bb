/** Events about pods, as scheduler, kubelet and controllers tell them. */
import { randomUUID } from 'node:crypto';
import type { Store } from './store.ts';
import { timeOf, type Metadata, type Pod, type Resource } from './wire.ts';

/** Where in an event times and counts are told: the scheduler speaks a newer dialect than the others. */
interface Dialect {
  readonly source: object;
  readonly firstTimestamp: string | null;
  readonly lastTimestamp: string | null;
  readonly count?: number;
  readonly eventTime: string | null;
  readonly action?: string;
  readonly reportingComponent: string;
  readonly reportingInstance: string;
}

export interface PodEvent extends Resource, Dialect {
  readonly kind: 'Event';
  readonly apiVersion: 'v1';
  readonly involvedObject: {
    readonly kind: 'Pod';
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly apiVersion: 'v1';
    readonly resourceVersion: string;
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

export type Recorder = (pod: Pod, told: Told) => void;

/** What is told again is counted, and is one event. */
export function createRecorder(store: Store<PodEvent>): Recorder {
  const known = new Map<string, PodEvent>();
  return (pod, told) => {
    const key = JSON.stringify([pod.metadata.uid, told]);
    const before = known.get(key);
    known.set(key, store.put(before === undefined ? eventOf(pod, told) : toldAgain(before)));
  };
}

function toldAgain(event: PodEvent): PodEvent {
  const { count } = event;
  return count === undefined ? event : { ...event, count: count + 1, lastTimestamp: timeOf() };
}

function eventOf(pod: Pod, told: Told): PodEvent {
  const { namespace, name, uid, resourceVersion } = pod.metadata;
  const now = timeOf();
  const { type, reason, message, from, fieldPath } = told;
  return {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: metadataOf(namespace, name, now),
    involvedObject: {
      kind: 'Pod',
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

function ofScheduler(): Dialect {
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

function ofOthers(component: string, now: string): Dialect {
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
