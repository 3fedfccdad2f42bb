/** Waiting for what is seen of pods, which nobody announces. */
import { setTimeout as pause } from 'node:timers/promises';

const lookMs = 100;

/** As long as it is so, and no longer than `patienceMs`. */
export async function pauseWhile(isSo: () => boolean, patienceMs: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < patienceMs && isSo(); waitedMs += lookMs) await pause(lookMs);
}
