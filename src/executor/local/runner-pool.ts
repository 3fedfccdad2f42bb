/**
 * Warm processes. One belongs to one version, one set of secrets and one limit of memory for good, so nothing that code of one version has
 * seen or changed reaches another; it serves up to a thousand attempts and ends after half a minute without one. One
 * fresh process that belongs to nobody is kept ready, which takes Node's start out of the way of the first attempt.
 */
import type { RunnerProcess } from './runner-process.ts';

export interface RunnerPool {
  /** A process for `key`, for the caller alone until it gives it back. `memoryBytes`: its limit, which is part of the key. */
  take(key: string, memoryBytes: number | null): RunnerProcess;
  /** `reusable` false: it is ended. */
  giveBack(key: string, runner: RunnerProcess, reusable: boolean): void;
  /** Ends the idle ones; those taken end with their attempts. */
  close(): Promise<void>;
}

export const runnerPoolLimits = { idleMs: 30_000, attemptsMax: 1000, idleMax: 16 } as const;

interface Idle {
  readonly key: string;
  readonly runner: RunnerProcess;
  readonly timer: NodeJS.Timeout;
}

export function createRunnerPool(
  start: (memoryBytes: number | null) => RunnerProcess,
  idleMs: number = runnerPoolLimits.idleMs,
): RunnerPool {
  let idle: Idle[] = [];
  let spare: RunnerProcess | null = null;
  let closed = false;

  const drop = (one: Idle): void => {
    clearTimeout(one.timer);
    idle = idle.filter((other) => other !== one);
    one.runner.kill();
  };
  const takeSpare = (): RunnerProcess => {
    const present = spare;
    spare = null;
    // The next one starts when this attempt is on its way, not before it.
    setImmediate(() => {
      if (!closed) spare ??= start(null);
    });
    return present?.alive === true ? present : start(null);
  };
  return {
    take(key, memoryBytes) {
      for (;;) {
        // The one used last is the warmest.
        const found = idle.findLast((one) => one.key === key);
        if (found === undefined) return memoryBytes === null ? takeSpare() : start(memoryBytes);
        clearTimeout(found.timer);
        idle = idle.filter((one) => one !== found);
        if (found.runner.alive) return found.runner;
      }
    },
    giveBack(key, runner, reusable) {
      if (closed || !reusable || !runner.alive || runner.served >= runnerPoolLimits.attemptsMax) return runner.kill();
      const one: Idle = { key, runner, timer: setTimeout(() => drop(one), idleMs).unref() };
      idle.push(one);
      if (idle.length > runnerPoolLimits.idleMax && idle[0] !== undefined) drop(idle[0]);
    },
    async close() {
      closed = true;
      const left = [...idle.map((one) => one.runner), ...(spare === null ? [] : [spare])];
      for (const one of idle) clearTimeout(one.timer);
      idle = [];
      for (const runner of left) runner.kill();
      await Promise.all(left.map((runner) => runner.ended));
    },
  };
}
