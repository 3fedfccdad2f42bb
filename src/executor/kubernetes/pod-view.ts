/** What counts of a pod, read once from what the API says; times in milliseconds since the epoch. */
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';

export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly annotations: { readonly [name: string]: string };
  readonly labels: { readonly [name: string]: string };
  readonly createdAt: number;
  readonly phase: string;
  /** Of the pod as a whole: `Evicted`, `DeadlineExceeded`, `NodeLost`. */
  readonly reason: string | null;
  readonly message: string | null;
  readonly node: string | null;
  /** By when it is to have ended, and how long it was given from the moment on that somebody asked for it. */
  readonly deletion: { readonly deadline: number; readonly graceMs: number } | null;
  /** Why the cluster takes it away: preemption, a taint, an eviction. */
  readonly disruption: Condition | null;
  readonly unschedulable: Condition | null;
  /** Since when its node does not answer for it. */
  readonly notReadySince: number | null;
  /** Init containers first, in the order of the pod. */
  readonly containers: readonly ContainerView[];
  /** How all of its containers ended, beside which sidecars may go on yet; null: they have not. */
  readonly end: 'succeeded' | 'failed' | null;
}

export interface Condition {
  readonly reason: string;
  readonly message: string;
  readonly since: number;
}

export interface ContainerView {
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'terminated';
  readonly reason: string | null;
  readonly message: string | null;
  /** Of its last end, also where it has been started again since. */
  readonly exitCode: number | null;
  /** It is to end well before the step begins; a sidecar goes on beside it. */
  readonly isInit: boolean;
  /** It runs, and has passed its startup probe: what waits for it may go on. */
  readonly isStarted: boolean;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** Null for what is no pod with a name and an identity. */
export function viewOf(pod: V1Pod): PodView | null {
  const { metadata, status, spec } = pod;
  const { namespace, name, uid } = metadata ?? {};
  if (metadata === undefined || namespace === undefined || name === undefined || uid === undefined) return null;
  const conditions = status?.conditions ?? [];
  const condition = (type: string, value: string): Condition | null => {
    const found = conditions.find((each) => each.type === type && each.status === value);
    if (found === undefined) return null;
    const { reason = '', message = '', lastTransitionTime } = found;
    return { reason, message, since: timeOf(lastTransitionTime) ?? timeOf(metadata.creationTimestamp) ?? 0 };
  };
  const phase = status?.phase ?? 'Pending';
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const isInit = (one: V1ContainerStatus): boolean => sidecars.every(({ name: sidecar }) => sidecar !== one.name);
  const own = status?.containerStatuses ?? [];
  const unscheduled = condition('PodScheduled', 'False');
  // A kubelet whose containers have ended says so of both; the controller of nodes knows nothing of containers.
  const isSilent = condition('ContainersReady', 'False') === null;
  return {
    namespace,
    name,
    uid,
    annotations: metadata.annotations ?? {},
    labels: metadata.labels ?? {},
    createdAt: timeOf(metadata.creationTimestamp) ?? 0,
    phase,
    reason: status?.reason ?? null,
    message: status?.message ?? null,
    node: spec?.nodeName ?? null,
    deletion:
      metadata.deletionTimestamp === undefined
        ? null
        : {
            deadline: timeOf(metadata.deletionTimestamp) ?? 0,
            graceMs: (metadata.deletionGracePeriodSeconds ?? 0) * 1000,
          },
    disruption: condition('DisruptionTarget', 'True'),
    unschedulable: unscheduled?.reason === 'Unschedulable' ? unscheduled : null,
    notReadySince: phase === 'Running' && isSilent ? (condition('Ready', 'False')?.since ?? null) : null,
    containers: [
      ...(status?.initContainerStatuses ?? []).map((one) => containerOf(one, isInit(one))),
      ...own.map((one) => containerOf(one, false)),
    ],
    end: endOf(own),
  };
}

function containerOf({ name, state, lastState, started }: V1ContainerStatus, isInit: boolean): ContainerView {
  const { waiting, running, terminated } = state ?? {};
  return {
    name,
    state: terminated !== undefined ? 'terminated' : running !== undefined ? 'running' : 'waiting',
    reason: terminated?.reason ?? waiting?.reason ?? null,
    message: terminated?.message ?? waiting?.message ?? null,
    exitCode: (terminated ?? lastState?.terminated)?.exitCode ?? null,
    isInit,
    isStarted: started === true,
    startedAt: timeOf(terminated?.startedAt ?? running?.startedAt),
    finishedAt: timeOf(terminated?.finishedAt),
  };
}

function endOf(own: readonly V1ContainerStatus[]): PodView['end'] {
  const ends = own.flatMap(({ state }) => state?.terminated ?? []);
  if (own.length === 0 || ends.length < own.length) return null;
  return ends.every(({ exitCode }) => exitCode === 0) ? 'succeeded' : 'failed';
}

/** The API says times as text; the types say that they are dates. */
function timeOf(time: Date | string | undefined): number | null {
  if (time === undefined) return null;
  const at = new Date(time).getTime();
  return Number.isNaN(at) ? null : at;
}
