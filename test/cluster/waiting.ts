import { setTimeout as pause } from 'node:timers/promises';

/** Whether the fact became true in time. Looks ten times a second: what is waited for is other programs' state. */
export async function waitUntil(secondsMax: number, fact: () => boolean | Promise<boolean>): Promise<boolean> {
  const end = performance.now() + secondsMax * 1000;
  while (!(await fact())) {
    if (performance.now() > end) return false;
    await pause(100);
  }
  return true;
}
