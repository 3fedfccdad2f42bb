/** What is known of one pod that lives: how it stands, what it was told, and the words in which both are published. */
import { join } from 'node:path';
import type { Configuration } from './configuration.ts';
import { createContainerLife, type ContainerLife, type ContainerSurroundings } from './container-life.ts';
import type { Recorder, Told } from './events.ts';
import type { Gate } from './gates.ts';
import type { Images } from './images.ts';
import { statusOf, type PodSituation, type Role } from './pod-status.ts';
import type { Store } from './store.ts';
import { timeOf, type Pod, type PodSpec } from './wire.ts';

export interface Surroundings {
  readonly pods: Store<Pod>;
  readonly record: Recorder;
  readonly images: Images;
  readonly configuration: Configuration;
  readonly folder: string;
  readonly scheduling: Gate;
  readonly creation: Gate;
  /** Held while the node is lost: nothing that happens there is heard, and nothing said to it arrives. */
  readonly node: Gate;
  readonly address: string;
}

export interface Stop {
  readonly graceSeconds: number;
  /** Of the pod, once it has failed. */
  readonly reason: string | null;
  readonly message: string | null;
}

export interface PodState {
  readonly born: Pod;
  readonly around: Surroundings;
  /** Its own on this host. */
  readonly folder: string;
  readonly containers: readonly ContainerLife[];
  /** null: it is gone, and another may have its name. */
  current(): Pod | null;
  tell(told: Told): void;
  become(change: Partial<Omit<PodSituation, 'containers'>>): void;
  publish(): void;
  /** The first one counts. */
  stop(stop: Stop): void;
  readonly stopped: Stop | null;
  /** False: it is stopped, whatever is waited for. */
  orStopped(wait: Promise<unknown>): Promise<boolean>;
  isLost(): boolean;
}

export function createPodState(born: Pod, around: Surroundings): PodState {
  const { namespace, name, uid } = born.metadata;
  const folder = join(around.folder, uid);
  const end = Promise.withResolvers<void>();
  let stopped: Stop | null = null;
  let situation = { ...atFirst, startTime: timeOf() };
  const current = (): Pod | null => {
    const pod = around.pods.get(namespace, name);
    return pod?.metadata.uid === uid ? pod : null;
  };
  const isLost = (): boolean => around.node.holds(born);
  const tell = (told: Told): void => {
    const pod = current();
    if (pod !== null && !isLost()) around.record(pod, told);
  };
  const publish = (): void => {
    const pod = current();
    if (pod === null || isLost() || pod.spec.nodeName === undefined) return;
    const status = statusOf(pod, { ...situation, containers });
    if (JSON.stringify(status) !== JSON.stringify(pod.status)) around.pods.put({ ...pod, status });
  };
  const { images, configuration } = around;
  const ofContainers = { images, configuration, folder, changed: publish, tell: tellOfContainer(tell) };
  const containers = containersOf(born.spec, ofContainers);
  return {
    born,
    around,
    folder,
    containers,
    current,
    tell,
    publish,
    become(change) {
      situation = { ...situation, ...change };
      publish();
    },
    stop(stop) {
      stopped ??= stop;
      end.resolve();
    },
    get stopped() {
      return stopped;
    },
    async orStopped(wait) {
      await Promise.race([wait, end.promise]);
      return stopped === null;
    },
    isLost,
  };
}

const atFirst: Omit<PodSituation, 'containers' | 'startTime'> = {
  podIP: '',
  hasSandbox: false,
  final: null,
  reason: null,
  message: null,
  disruption: null,
};

function tellOfContainer(tell: (told: Told) => void): ContainerSurroundings['tell'] {
  return (container, role, type, reason, message) => {
    const fieldPath = `spec.${role === 'main' ? 'containers' : 'initContainers'}{${container.name}}`;
    tell({ type, reason, message, from: 'kubelet', fieldPath });
  };
}

const roleOf = (restartPolicy: string | undefined): Role => (restartPolicy === 'Always' ? 'sidecar' : 'init');

function containersOf(spec: PodSpec, around: ContainerSurroundings): readonly ContainerLife[] {
  const inits = spec.initContainers ?? [];
  const waitingFor = inits.length === 0 ? 'ContainerCreating' : 'PodInitializing';
  return [
    ...inits.map((one) => createContainerLife(one, roleOf(one.restartPolicy), waitingFor, around)),
    ...spec.containers.map((one) => createContainerLife(one, 'main', waitingFor, around)),
  ];
}
