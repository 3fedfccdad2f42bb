/**
 * `npm run cluster -- down`: nothing is left of the cluster but its files, however it ended: each thing is looked for
 * where it would be, and none is taken to be there because another is.
 */
import { rmSync } from 'node:fs';
import { attempt, linesOf } from './command.ts';
import { daemonsOf } from './daemons.ts';
import { isChanged, podProcesses, restoreHost } from './host.ts';
import { addressed } from './images/image.ts';
import { kubectl } from './kubectl.ts';
import type { Layout } from './layout.ts';
import { pidOf, pidsWithWord, signal, stop } from './processes.ts';
import { waitUntil } from './waiting.ts';

export async function down(layout: Layout, wipe: boolean, say: (text: string) => void): Promise<void> {
  const { etcd, containerd, apiServer, controllerManager, scheduler, kubelet, proxy } = daemonsOf(layout);
  if (pidOf(layout, apiServer.name) !== null) {
    await deleteWorkloads(layout);
    say('pods and what makes them are deleted');
  }
  for (const { name } of [kubelet, proxy, scheduler, controllerManager, apiServer, etcd])
    if (await stop(layout, name)) say(`${name} has ended`);
  // While containerd runs, it takes away what belongs to a container that ends.
  if (isChanged(layout)) await endPodProcesses();
  if (pidOf(layout, containerd.name) !== null) await forgetContainers(layout);
  if (await stop(layout, containerd.name)) say(`${containerd.name} has ended`);
  await endShims(layout);
  await restoreHost(layout);
  say('the machine is as it was before');
  if (wipe)
    for (const folder of [layout.data, layout.log, layout.run]) rmSync(folder, { recursive: true, force: true });
  if (wipe) say('what the cluster kept is gone');
}

/** Or the next `up` would start them again. What is not gone in time is ended as processes below. */
async function deleteWorkloads(layout: Layout): Promise<void> {
  const kinds = 'cronjobs,jobs,deployments,replicasets,statefulsets,daemonsets,pods';
  const force = ['--force', '--grace-period=0', '--timeout=20s'];
  await kubectl(layout, ['delete', kinds, '--all', '--all-namespaces', ...force]);
}

async function endPodProcesses(): Promise<void> {
  await waitUntil(20, () => {
    const pids = podProcesses();
    for (const pid of pids) signal(pid, 'SIGKILL');
    return pids.length === 0;
  });
}

async function forgetContainers(layout: Layout): Promise<void> {
  const ctr = addressed(layout);
  const tasks = await linesOf('ctr', [...ctr, 'tasks', 'ls', '-q']);
  if (tasks.length > 0) await attempt('ctr', [...ctr, 'tasks', 'rm', '--force', ...tasks]);
  const containers = await linesOf('ctr', [...ctr, 'containers', 'ls', '-q']);
  if (containers.length > 0) await attempt('ctr', [...ctr, 'containers', 'rm', ...containers]);
}

/** They are nobody's children, and live as long as their containers: only their command line says whose they are. */
async function endShims(layout: Layout): Promise<void> {
  await waitUntil(20, () => {
    const pids = pidsWithWord(layout.containerdSocket);
    for (const pid of pids) signal(pid, 'SIGKILL');
    return pids.length === 0;
  });
}
