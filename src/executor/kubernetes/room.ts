/**
 * Who waits for room in a namespace whose quota is full, the longest first. Each pod of ours that goes makes room for one; what
 * others leave is found by asking again after a while.
 */
export interface Room {
  /** Whether a pod of ours went meanwhile, in that time. */
  wait(ms: number, signal: AbortSignal): Promise<boolean>;
  /** One that has ended needs no room, as one that is gone. Harmless the second time. */
  ended(pod: string): void;
  gone(pod: string): void;
}

export function createRoom(): Room {
  const waiting = new Set<(hasRoom: boolean) => void>();
  const ended = new Set<string>();
  const wakeOne = (): void => {
    for (const wake of waiting) return wake(true);
  };
  return {
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const wake = (hasRoom: boolean): void => {
          waiting.delete(wake);
          clearTimeout(timer);
          signal.removeEventListener('abort', giveUp);
          resolve(hasRoom);
        };
        const giveUp = (): void => wake(false);
        const timer = setTimeout(giveUp, ms);
        signal.addEventListener('abort', giveUp);
        waiting.add(wake);
        if (signal.aborted) giveUp();
      }),
    ended(pod) {
      if (ended.has(pod)) return;
      ended.add(pod);
      wakeOne();
    },
    gone(pod) {
      if (!ended.delete(pod)) wakeOne();
    },
  };
}
