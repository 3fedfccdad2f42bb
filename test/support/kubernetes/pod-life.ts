/**
 * The life of one pod, as scheduler and kubelet lead it, at once where those take their time:
 *
 *   scheduled ─► ContainerCreating ─► init containers, one after the other, and sidecars that stay ─► main containers
 *        └────────────┴──────── deletion, deadline, eviction ──────────┴─► warned, killed after the grace ─► Failed
 *
 * The phase becomes final when nothing of it runs any more. A pod that is deleted is gone only then.
 */
import { mkdirSync } from 'node:fs';
import type { ContainerLife } from './container-life.ts';
import { nodeName } from './events.ts';
import { createPodState, type PodState, type Stop, type Surroundings } from './pod-state.ts';
import { conditionsAfter, isMain } from './pod-status.ts';
import { makeVolumes } from './volumes.ts';
import { timeOf, type Pod, type PodSpec } from './wire.ts';

export interface PodLife {
  readonly containers: readonly ContainerLife[];
  /** When nothing of it runs. */
  readonly over: Promise<void>;
  /** Once only, but for one that leaves no grace. */
  stop(stop: Stop): void;
  disturb(disruption: { readonly reason: string; readonly message: string }): void;
  publish(): void;
}

const unschedulable = '0/1 nodes are available: 1 Insufficient cpu.';
const deadlineMessage = 'Pod was active on the node longer than the specified deadline';
const timerMsMax = 2 ** 31 - 1;

export function beginLife(born: Pod, around: Surroundings): PodLife {
  const state = createPodState(born, around);
  const life: PodLife = {
    containers: state.containers,
    // Whoever has asked for the pod hears of it before it goes on.
    over: Promise.resolve().then(() => live(state)),
    stop: (stop) => void stopOnceHeard(state, stop),
    disturb: (disruption) => state.become({ disruption }),
    publish: () => state.publish(),
  };
  return life;
}

export const graceOf = (spec: PodSpec): number => spec.terminationGracePeriodSeconds ?? 30;

async function stopOnceHeard(state: PodState, stop: Stop): Promise<void> {
  if (state.isLost()) await state.around.node.passed(state.born);
  const wasStopped = state.stopped !== null;
  state.stop(stop);
  if (wasStopped && stop.graceSeconds === 0) kill(state);
}

async function live(state: PodState): Promise<void> {
  const { born, around, folder } = state;
  mkdirSync(folder, { recursive: true });
  if (!(await schedule(state))) return;
  state.publish();
  const deadline = startDeadline(state);
  if ((await state.orStopped(around.creation.passed(born))) && (await mount(state))) {
    state.become({ hasSandbox: true, podIP: around.address });
    await run(state);
  }
  clearTimeout(deadline);
  await endAll(state);
  await around.node.passed(born);
  finish(state);
}

async function schedule(state: PodState): Promise<boolean> {
  const { born, around } = state;
  // Another scheduler's pod, which there is none for here, waits until it is ended.
  const hasScheduler = born.spec.schedulerName === 'default-scheduler';
  if (hasScheduler && around.scheduling.holds(born)) refuseNode(state);
  const turn = hasScheduler ? around.scheduling.passed(born) : Promise.withResolvers<void>().promise;
  if (!(await state.orStopped(turn))) return false;
  const pod = state.current();
  if (pod === null) return false;
  const status = { ...pod.status, conditions: [conditionsAfter(pod)('PodScheduled', true)] };
  around.pods.put({ ...pod, spec: { ...pod.spec, nodeName }, status });
  const message = `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${nodeName}`;
  state.tell({ type: 'Normal', reason: 'Scheduled', message, from: 'default-scheduler' });
  return true;
}

function refuseNode(state: PodState): void {
  const pod = state.current();
  if (pod === null) return;
  const why = { reason: 'Unschedulable', message: unschedulable };
  const conditions = [conditionsAfter(pod)('PodScheduled', false, why)];
  state.around.pods.put({ ...pod, status: { ...pod.status, conditions } });
  state.tell({ type: 'Warning', reason: 'FailedScheduling', message: unschedulable, from: 'default-scheduler' });
}

function startDeadline(state: PodState): NodeJS.Timeout | undefined {
  const { spec } = state.born;
  if (spec.activeDeadlineSeconds === undefined) return undefined;
  const stop = { graceSeconds: graceOf(spec), reason: 'DeadlineExceeded', message: deadlineMessage };
  const end = (): void => {
    state.tell({ type: 'Normal', reason: 'DeadlineExceeded', message: deadlineMessage, from: 'kubelet' });
    void stopOnceHeard(state, stop);
  };
  return setTimeout(end, Math.min(spec.activeDeadlineSeconds * 1000, timerMsMax));
}

/** False: it is stopped before all of them stand. */
async function mount(state: PodState): Promise<boolean> {
  const { configuration } = state.around;
  for (;;) {
    const message = makeVolumes(state.born, state.folder, configuration);
    if (message === null) return true;
    state.tell({ type: 'Warning', reason: 'FailedMount', message, from: 'kubelet' });
    if (!(await state.orStopped(configuration.changed()))) return false;
  }
}

async function run(state: PodState): Promise<void> {
  for (const container of state.containers.filter((one) => !isMain(one))) {
    await begin(state, container);
    if (container.role === 'init' && (await state.orStopped(container.ended)) && (await container.ended) !== 0) return;
    if (state.stopped !== null) return;
  }
  const mains = state.containers.filter(isMain);
  await Promise.all(mains.map((container) => begin(state, container)));
  await state.orStopped(Promise.all(mains.map(({ ended }) => ended)));
}

/** What lacks something waits for it until the pod is ended. */
async function begin(state: PodState, container: ContainerLife): Promise<void> {
  for (let pod = state.current(); pod !== null; pod = state.current()) {
    if (await container.begin(pod)) return;
    if (!(await state.orStopped(state.around.configuration.changed()))) return;
  }
}

const kill = ({ containers }: PodState): void => containers.forEach((container) => container.kill());

/** The sidecars after the others, the last begun first, all within one grace. */
async function endAll(state: PodState): Promise<void> {
  const graceSeconds = state.stopped?.graceSeconds ?? graceOf(state.born.spec);
  const timer = setTimeout(() => kill(state), Math.min(graceSeconds * 1000, timerMsMax));
  const running = state.containers.filter((one) => one.state.running !== undefined);
  const others = running.filter(({ role }) => role !== 'sidecar');
  for (const container of others) container.warn();
  if (graceSeconds === 0) kill(state);
  await Promise.all(others.map(({ ended }) => ended));
  for (const sidecar of running.filter(({ role }) => role === 'sidecar').toReversed()) {
    sidecar.warn();
    await sidecar.ended;
  }
  clearTimeout(timer);
}

function finish(state: PodState): void {
  const { containers, stopped, around } = state;
  const { reason = null, message = null } = stopped ?? {};
  const isWell = containers.filter(isMain).every((one) => one.state.terminated?.exitCode === 0) && reason === null;
  state.become({ final: isWell ? 'Succeeded' : 'Failed', reason, message, hasSandbox: false });
  const pod = state.current();
  if (pod?.metadata.deletionTimestamp === undefined) return;
  const metadata = { ...pod.metadata, deletionTimestamp: timeOf(), deletionGracePeriodSeconds: 0 };
  around.pods.put({ ...pod, metadata });
  around.pods.remove(metadata.namespace, metadata.name);
}
