/**
 * Warm processes: runners and shells. One belongs to one key for good (of a runner a version, a set of secrets and a limit
 * of memory), so nothing that code of one version has seen or changed reaches another; it serves so many attempts
 * at most and ends after half a minute without one. One fresh process that belongs to nobody is kept ready, which takes its start
 * out of the way of the first attempt.
 */
export interface WarmProcess {
  /** Attempts that it has served. */
  readonly served: number;
  readonly alive: boolean;
  /** Ends it and its process group at once. */
  kill(): void;
  readonly ended: Promise<void>;
}

export interface WarmPool<Process extends WarmProcess> {
  /** A process for `key`, for the caller alone until it gives it back. `own`: starts one where the one kept ready would not do. */
  take(key: string, own?: (() => Process) | null): Process;
  /** `reusable` false: it is ended. */
  giveBack(key: string, process: Process, reusable: boolean): void;
  /** Ends the idle ones; those taken end with their attempts. */
  close(): Promise<void>;
}

export const warmPoolLimits = { idleMs: 30_000, attemptsMax: 1000, idleMax: 16 } as const;

interface Idle<Process> {
  readonly key: string;
  readonly process: Process;
  readonly timer: NodeJS.Timeout;
}

/** `keepsSpare` false: none is kept ready, because no other attempt comes. `attemptsMax`: of one process. */
export function createWarmPool<Process extends WarmProcess>(
  start: () => Process,
  idleMs: number = warmPoolLimits.idleMs,
  keepsSpare = true,
  attemptsMax: number = warmPoolLimits.attemptsMax,
): WarmPool<Process> {
  let idle: Idle<Process>[] = [];
  let spare: Process | null = null;
  let closed = false;

  const drop = (one: Idle<Process>): void => {
    clearTimeout(one.timer);
    idle = idle.filter((other) => other !== one);
    one.process.kill();
  };
  const takeSpare = (): Process => {
    const present = spare;
    spare = null;
    // The next one starts when this attempt is on its way, not before it.
    setImmediate(() => {
      if (!closed && keepsSpare) spare ??= start();
    });
    return present?.alive === true ? present : start();
  };
  return {
    take(key, own = null) {
      for (;;) {
        // The one used last is the warmest.
        const found = idle.findLast((one) => one.key === key);
        if (found === undefined) return own === null ? takeSpare() : own();
        clearTimeout(found.timer);
        idle = idle.filter((one) => one !== found);
        if (found.process.alive) return found.process;
      }
    },
    giveBack(key, process, reusable) {
      if (closed || !reusable || !process.alive || process.served >= attemptsMax) return process.kill();
      const one: Idle<Process> = { key, process, timer: setTimeout(() => drop(one), idleMs).unref() };
      idle.push(one);
      if (idle.length > warmPoolLimits.idleMax && idle[0] !== undefined) drop(idle[0]);
    },
    async close() {
      closed = true;
      const left = [...idle.map((one) => one.process), ...(spare === null ? [] : [spare])];
      for (const one of idle) clearTimeout(one.timer);
      idle = [];
      for (const process of left) process.kill();
      await Promise.all(left.map((process) => process.ended));
    },
  };
}
