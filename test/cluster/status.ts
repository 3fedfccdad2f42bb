/** `npm run cluster -- status`: each process with its id and log, and whether the node takes pods. */
import { daemonsOf } from './daemons.ts';
import { kubectl } from './kubectl.ts';
import { nodeName, type Layout } from './layout.ts';
import { logOf, pidOf } from './processes.ts';

/** Whether all of it runs. */
export async function status(layout: Layout, say: (text: string) => void): Promise<boolean> {
  const daemons = Object.values(daemonsOf(layout)).map(({ name }) => ({ name, pid: pidOf(layout, name) }));
  for (const { name, pid } of daemons)
    say(`${name.padEnd(24)} ${(pid === null ? 'does not run' : `process ${pid}`).padEnd(16)} ${logOf(layout, name)}`);
  if (daemons.some(({ pid }) => pid === null)) return false;
  const { status, output, errors } = await kubectl(layout, ['get', 'node', nodeName, '--no-headers']);
  say((status === 0 ? output : errors).trim());
  say(`export KUBECONFIG=${layout.kubeconfig}`);
  return status === 0;
}
