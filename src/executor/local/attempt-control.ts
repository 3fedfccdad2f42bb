import { afterLong } from './long-timer.ts';

/** How an attempt is ended from outside: one cause, which stays, a warning, and a kill when the grace is over. */
export type StopCause = 'cancelled' | 'timeout' | 'server' | 'stopped' | 'memory';

export interface AttemptControl {
  /** Null while nobody wants it to end. The first cause is kept. */
  readonly cause: StopCause | null;
  /** A second stop can only shorten the grace. */
  stop(cause: StopCause, graceMs: number): void;
  /** What there is to be warned and killed; at once, where the stop came before. */
  attach(target: StopTarget): void;
  /** The attempt has ended by itself. */
  release(): void;
}

export interface StopTarget {
  warn(cause: StopCause, graceMs: number): void;
  kill(): void;
}

export function createAttemptControl(): AttemptControl {
  let cause: StopCause | null = null;
  let target: StopTarget | null = null;
  let takeBack = (): void => undefined;
  let killAt = Number.POSITIVE_INFINITY;

  const killThen = (): void => {
    const remainingMs = killAt - performance.now();
    takeBack();
    takeBack = afterLong(Math.max(0, remainingMs), () => target?.kill());
  };
  return {
    get cause() {
      return cause;
    },
    stop(nextCause, graceMs) {
      const isFirst = cause === null;
      cause ??= nextCause;
      killAt = Math.min(killAt, performance.now() + graceMs);
      if (target === null) return;
      if (isFirst) target.warn(cause, graceMs);
      killThen();
    },
    attach(nextTarget) {
      target = nextTarget;
      if (cause === null) return;
      target.warn(cause, Math.max(0, killAt - performance.now()));
      killThen();
    },
    release() {
      target = null;
      takeBack();
    },
  };
}
