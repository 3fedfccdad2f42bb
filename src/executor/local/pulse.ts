/**
 * The pulse of the attempts. A process that ends is noticed at once; this is for one that neither ends nor goes on,
 * because something stopped it (SIGSTOP) and forgot it: it would hold its slot until its timeout. One that is merely busy
 * has a pulse, however long it answers nobody, and so has one that a debugger holds.
 *
 * Looks are counted, not time: while this server itself was stopped, or the machine slept, nobody missed a look.
 */
import { isStopped } from './processes.ts';

export interface Pulse {
  /** Calls `lost` once, when the process was found stopped so many times in a row. Gives the function that ends it. */
  watch(pid: number, lost: () => void): () => void;
  close(): void;
}

export interface PulseLimits {
  readonly everyMs: number;
  readonly stoppedLooksMax: number;
}

/** Lost after 45 s, as elsewhere in the field: three missed heartbeats of 10 s and a margin. */
export const pulseLimits: PulseLimits = { everyMs: 1000, stoppedLooksMax: 45 };

export function createPulse(limits: PulseLimits, isStoppedNow: (pid: number) => boolean = isStopped): Pulse {
  const watched = new Map<number, { looks: number; readonly lost: () => void }>();
  let timer: NodeJS.Timeout | null = null;

  const look = (): void => {
    for (const [pid, one] of watched) {
      one.looks = isStoppedNow(pid) ? one.looks + 1 : 0;
      if (one.looks < limits.stoppedLooksMax) continue;
      watched.delete(pid);
      one.lost();
    }
    timer = watched.size === 0 ? null : setTimeout(look, limits.everyMs).unref();
  };
  return {
    watch(pid, lost) {
      const mine = { looks: 0, lost };
      watched.set(pid, mine);
      timer ??= setTimeout(look, limits.everyMs).unref();
      return () => {
        if (watched.get(pid) === mine) watched.delete(pid);
      };
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      watched.clear();
    },
  };
}
