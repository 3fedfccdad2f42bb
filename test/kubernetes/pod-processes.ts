/** Processes of pods, where the node of the cluster is this machine. */
import { readdirSync, readFileSync } from 'node:fs';

/** The agent of a pod, and what it has started: what holds the pod's network has neither variable of ours. */
export function processesOf(pod: string): readonly number[] {
  return processes((read) => {
    const words = read('environ').split('\0');
    return words.includes(`HOSTNAME=${pod}`) && words.some((word) => word.startsWith('CONTENDER_'));
  });
}

/** Its program alone, on a real cluster as on a fake one. */
export function agentsOf(pod: string): readonly number[] {
  return processes(
    (read) =>
      read('environ').split('\0').includes(`HOSTNAME=${pod}`) &&
      /^[^\0]*node\0[^\0]*runner\/agent\.[jt]s\0/.test(read('cmdline')),
  );
}

function processes(is: (read: (file: string) => string) => boolean): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((id) => {
      try {
        return is((file) => readFileSync(`/proc/${id}/${file}`, 'latin1'));
      } catch {
        return false;
      }
    })
    .map(Number);
}
