/**
 * The life of one pod, as scheduler and kubelet lead it, at once where those take their time:
 *
 *   scheduled ─► ContainerCreating ─► init containers, one after the other, and sidecars that stay ─► main containers
 *        └────────────┴──────── deletion, deadline, eviction ──────────┴─► warned, killed after the grace ─► Failed
 *
 * The phase becomes final when nothing of it runs any more. A pod that is deleted is gone only then.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createContainerLife, type ContainerLife } from './container-life.ts';
import { nodeName, type Recorder, type Told } from './events.ts';
import type { Configuration } from './configuration.ts';
import type { Gate } from './gates.ts';
import type { Images } from './images.ts';
import { conditionsAfter, isMain, statusOf, type PodSituation, type Role } from './pod-status.ts';
import type { Store } from './store.ts';
import { makeVolumes } from './volumes.ts';
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

export interface PodLife {
  readonly containers: readonly ContainerLife[];
  /** When nothing of it runs. */
  readonly over: Promise<void>;
  stop(stop: Stop): void;
  disturb(disruption: { readonly reason: string; readonly message: string }): void;
  /** Ends its processes, whatever else. */
  kill(): void;
  publish(): void;
}

export const unschedulable = '0/1 nodes are available: 1 Insufficient cpu.';
const deadlineMessage = 'Pod was active on the node longer than the specified deadline';

const roleOf = (restartPolicy: string | undefined): Role => (restartPolicy === 'Always' ? 'sidecar' : 'init');

export function beginLife(born: Pod, around: Surroundings): PodLife {
  const { pods, record, node, configuration } = around;
  const { namespace, name, uid } = born.metadata;
  const folder = join(around.folder, uid);
  const startTime = timeOf();
  const stopped = Promise.withResolvers<void>();
  let stop: Stop | null = null;
  let situation: Omit<PodSituation, 'containers'> = {
    podIP: '',
    startTime,
    hasSandbox: false,
    final: null,
    reason: null,
    message: null,
    disruption: null,
  };

  /** null: it is gone, and another may have its name. */
  const current = (): Pod | null => {
    const pod = pods.get(namespace, name);
    return pod?.metadata.uid === uid ? pod : null;
  };
  const isLost = (): boolean => node.holds(born);
  const tell = (told: Told): void => {
    const pod = current();
    if (pod !== null && !isLost()) record(pod, told);
  };
  const publish = (): void => {
    const pod = current();
    if (pod === null || isLost() || pod.spec.nodeName === undefined) return;
    const status = statusOf(pod, { ...situation, containers });
    if (JSON.stringify(status) !== JSON.stringify(pod.status)) pods.put({ ...pod, status });
  };
  const containers = containersOf(born.spec, {
    images: around.images,
    configuration,
    folder,
    changed: publish,
    tell(container, role, type, reason, message) {
      const fieldPath = `spec.${role === 'main' ? 'containers' : 'initContainers'}{${container.name}}`;
      tell({ type, reason, message, from: 'kubelet', fieldPath });
    },
  });
  const become = (change: Partial<typeof situation>): void => {
    situation = { ...situation, ...change };
    publish();
  };
  const isStopped = (): boolean => stop !== null;
  const orStopped = async (wait: Promise<unknown>): Promise<boolean> => {
    await Promise.race([wait, stopped.promise]);
    return !isStopped();
  };

  async function schedule(): Promise<boolean> {
    // Another scheduler's pod: there is none here.
    if (born.spec.schedulerName !== 'default-scheduler') await stopped.promise;
    if (around.scheduling.holds(born)) {
      const pod = current();
      const condition = conditionsAfter(born)('PodScheduled', false, {
        reason: 'Unschedulable',
        message: unschedulable,
      });
      const status = { ...born.status, conditions: [condition] };
      if (pod !== null) pods.put({ ...pod, status });
      tell({ type: 'Warning', reason: 'FailedScheduling', message: unschedulable, from: 'default-scheduler' });
    }
    if (!(await orStopped(around.scheduling.passed(born)))) return false;
    const pod = current();
    if (pod === null) return false;
    const status = { ...pod.status, conditions: [conditionsAfter(pod)('PodScheduled', true)] };
    pods.put({ ...pod, spec: { ...pod.spec, nodeName }, status });
    const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
    tell({ type: 'Normal', reason: 'Scheduled', message, from: 'default-scheduler' });
    return true;
  }

  async function mount(): Promise<boolean> {
    for (;;) {
      const message = makeVolumes(born, folder, configuration);
      if (message === null) return true;
      tell({ type: 'Warning', reason: 'FailedMount', message, from: 'kubelet' });
      if (!(await orStopped(configuration.changed()))) return false;
    }
  }

  /** What lacks something waits for it until the pod is ended. */
  async function begin(container: ContainerLife): Promise<void> {
    for (let pod = current(); pod !== null; pod = current()) {
      if (await container.begin(pod)) return;
      if (!(await orStopped(configuration.changed()))) return;
    }
  }

  async function run(): Promise<void> {
    for (const container of containers.filter((one) => !isMain(one))) {
      await begin(container);
      if (container.role === 'init' && (await orStopped(container.ended)) && (await container.ended) !== 0) return;
      if (isStopped()) return;
    }
    const mains = containers.filter(isMain);
    await Promise.all(mains.map(begin));
    await orStopped(Promise.all(mains.map(({ ended }) => ended)));
  }

  const isRunning = ({ state }: ContainerLife): boolean => state.running !== undefined;
  const kill = (): void => containers.forEach((container) => container.kill());

  /** The sidecars after the others, the last begun first, all within one grace. */
  async function endAll(): Promise<void> {
    const graceSeconds = stop?.graceSeconds ?? born.spec.terminationGracePeriodSeconds ?? 30;
    const timer = setTimeout(kill, graceSeconds * 1000);
    const others = containers.filter((one) => one.role !== 'sidecar' && isRunning(one));
    for (const container of others) container.warn();
    if (graceSeconds === 0) kill();
    await Promise.all(others.map(({ ended }) => ended));
    for (const sidecar of containers.filter((one) => one.role === 'sidecar' && isRunning(one)).toReversed()) {
      sidecar.warn();
      await sidecar.ended;
    }
    clearTimeout(timer);
  }

  async function finish(): Promise<void> {
    await endAll();
    await node.passed(born);
    const mains = containers.filter(isMain);
    const isWell = mains.every(({ state }) => state.terminated?.exitCode === 0) && (stop?.reason ?? null) === null;
    const { reason = null, message = null } = stop ?? {};
    become({ final: isWell ? 'Succeeded' : 'Failed', reason, message, hasSandbox: false });
    const pod = current();
    if (pod?.metadata.deletionTimestamp === undefined) return;
    const metadata = { ...pod.metadata, deletionTimestamp: timeOf(), deletionGracePeriodSeconds: 0 };
    pods.put({ ...pod, metadata });
    pods.remove(namespace, name);
  }

  async function live(): Promise<void> {
    mkdirSync(folder, { recursive: true });
    if (!(await schedule())) return;
    publish();
    const deadline = startDeadline(born.spec, () => {
      tell({ type: 'Normal', reason: 'DeadlineExceeded', message: deadlineMessage, from: 'kubelet' });
      life.stop({ graceSeconds: graceOf(born.spec), reason: 'DeadlineExceeded', message: deadlineMessage });
    });
    if ((await orStopped(around.creation.passed(born))) && (await mount())) {
      become({ hasSandbox: true, podIP: around.address });
      await run();
    }
    clearTimeout(deadline);
    await finish();
  }

  async function stopOnceFound(next: Stop): Promise<void> {
    await node.passed(born);
    life.stop(next);
  }

  const life: PodLife = {
    containers,
    // Whoever has asked for the pod hears of it before it goes on.
    over: Promise.resolve().then(live),
    stop(next) {
      if (isLost()) void stopOnceFound(next);
      else if (stop === null) {
        stop = next;
        stopped.resolve();
      } else if (next.graceSeconds === 0) kill();
    },
    disturb: (disruption) => become({ disruption }),
    kill,
    publish,
  };
  return life;
}

export const graceOf = (spec: PodSpec): number => spec.terminationGracePeriodSeconds ?? 30;

function startDeadline(spec: PodSpec, stop: () => void): NodeJS.Timeout | undefined {
  const { activeDeadlineSeconds: seconds } = spec;
  return seconds === undefined ? undefined : setTimeout(stop, seconds * 1000);
}

function containersOf(spec: PodSpec, around: Parameters<typeof createContainerLife>[3]): readonly ContainerLife[] {
  const inits = spec.initContainers ?? [];
  const waitingFor = inits.length === 0 ? 'ContainerCreating' : 'PodInitializing';
  return [
    ...inits.map((one) => createContainerLife(one, roleOf(one.restartPolicy), waitingFor, around)),
    ...spec.containers.map((one) => createContainerLife(one, 'main', waitingFor, around)),
  ];
}
