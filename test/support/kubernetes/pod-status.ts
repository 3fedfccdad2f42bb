/** How a pod stands, worked out from how its containers stand, as the kubelet writes it. Pure. */
import { hostAddress } from './variables.ts';
import {
  timeOf,
  type Container,
  type ContainerState,
  type ContainerStatus,
  type Pod,
  type PodCondition,
  type PodStatus,
} from './wire.ts';

export type Role = 'init' | 'sidecar' | 'main';

/** One container and how it stands now. */
export interface ContainerSituation {
  readonly container: Container;
  readonly role: Role;
  readonly id: string;
  readonly state: ContainerState;
}

export interface PodSituation {
  readonly containers: readonly ContainerSituation[];
  readonly podIP: string;
  readonly startTime: string;
  /** The network of the pod is made and not taken down. */
  readonly hasSandbox: boolean;
  /** Its last phase is decided by whoever knows that all has ended. */
  readonly final: 'Succeeded' | 'Failed' | null;
  readonly reason: string | null;
  readonly message: string | null;
  /** Why it was disturbed: of type DisruptionTarget. */
  readonly disruption: { readonly reason: string; readonly message: string } | null;
}

export function isMain({ role }: ContainerSituation): boolean {
  return role === 'main';
}

export function statusOf(pod: Pod, situation: PodSituation): PodStatus {
  const { containers, final, reason, message, podIP, startTime } = situation;
  const inits = containers.filter((one) => !isMain(one)).map(containerStatusOf);
  return {
    observedGeneration: pod.metadata.generation ?? 1,
    phase: final ?? phaseOf(containers),
    conditions: conditionsOf(pod, situation),
    ...(message === null ? {} : { message }),
    ...(reason === null ? {} : { reason }),
    hostIP: hostAddress,
    hostIPs: [{ ip: hostAddress }],
    ...(podIP === '' ? {} : { podIP, podIPs: [{ ip: podIP }] }),
    startTime,
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    containerStatuses: containers.filter(isMain).map(containerStatusOf),
    qosClass: pod.status.qosClass ?? 'BestEffort',
  };
}

function phaseOf(containers: readonly ContainerSituation[]): string {
  const waits = containers.some(({ role, state }) =>
    role === 'init' ? state.terminated?.exitCode !== 0 : state.waiting !== undefined,
  );
  return waits ? 'Pending' : 'Running';
}

function isReady({ role, state }: ContainerSituation): boolean {
  return role === 'init' ? state.terminated?.exitCode === 0 : state.running !== undefined;
}

function containerStatusOf(one: ContainerSituation): ContainerStatus {
  const { container, id, state } = one;
  const begun = state.waiting === undefined;
  const { name, image = '' } = container;
  return {
    name,
    state,
    lastState: {},
    ready: isReady(one),
    restartCount: 0,
    image: begun ? `docker.io/library/${image}` : image,
    imageID: begun ? `sha256:${Buffer.from(image).toString('hex').padEnd(64, '0').slice(0, 64)}` : '',
    ...(begun ? { containerID: `containerd://${id}` } : {}),
    started: state.running !== undefined,
    ...(begun ? { resources: container.resources ?? {} } : {}),
  };
}

const namesOf = (containers: readonly ContainerSituation[]): string =>
  containers.map(({ container }) => container.name).join(' ');

function conditionsOf(pod: Pod, situation: PodSituation): PodCondition[] {
  const { containers, final, hasSandbox, disruption } = situation;
  const inits = containers.filter((one) => !isMain(one));
  const uninitialized = inits.filter((one) => !isReady(one) && !hasServed(one));
  const unready = containers.filter(({ role, state }) => role !== 'init' && state.running === undefined);
  // While a sidecar runs on, the pod is only not ready.
  const over =
    final !== null || containers.every(({ role, state }) => role === 'init' || state.terminated !== undefined);
  const failed =
    final === 'Failed' || containers.some((one) => isMain(one) && (one.state.terminated?.exitCode ?? 0) !== 0);
  const ended = failed ? 'PodFailed' : 'PodCompleted';
  const notReady = over
    ? { reason: ended }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${namesOf(unready)}]` };
  const notInitialized = {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${namesOf(uninitialized)}]`,
  };
  const isAllReady = !over && unready.length === 0;
  const condition = conditionsAfter(pod);
  return [
    ...(disruption === null ? [] : [condition('DisruptionTarget', true, disruption)]),
    condition('PodReadyToStartContainers', hasSandbox),
    condition(
      'Initialized',
      uninitialized.length === 0,
      uninitialized.length > 0 ? notInitialized : over && !failed ? { reason: ended } : {},
    ),
    condition('Ready', isAllReady, isAllReady ? {} : notReady),
    condition('ContainersReady', isAllReady, isAllReady ? {} : notReady),
    condition('PodScheduled', true),
  ];
}

/** A sidecar that was needed and was ended. */
const hasServed = ({ role, state }: ContainerSituation): boolean =>
  role === 'sidecar' && state.terminated !== undefined;

/** A condition keeps the time at which it last changed. */
export function conditionsAfter(
  pod: Pod,
): (type: string, holds: boolean, why?: { readonly reason?: string; readonly message?: string }) => PodCondition {
  return (type, holds, why = {}) => {
    const status = holds ? 'True' : 'False';
    const before = pod.status.conditions?.find((condition) => condition.type === type);
    const since = before?.status === status ? before.lastTransitionTime : undefined;
    const observedGeneration = pod.metadata.generation ?? 1;
    return { type, observedGeneration, status, lastProbeTime: null, lastTransitionTime: since ?? timeOf(), ...why };
  };
}
