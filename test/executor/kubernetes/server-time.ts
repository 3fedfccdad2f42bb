/** The clock of a server that looks at pods, and the timer that has it look around, in the hands of a test. */
import type { HarbourOptions } from './harbour.ts';

export interface ServerTime extends Required<Pick<HarbourOptions, 'clock' | 'every'>> {
  /** The clock goes on by so much, and the server sees all that there is to see meanwhile. */
  readonly pass: (ms: number) => Promise<void>;
  /** The same, while nothing is to be seen. */
  readonly passUnseen: (ms: number) => void;
  /** The same, in one leap: the server was held up. */
  readonly leap: (ms: number) => void;
}

/** Short enough that a server in which nothing else goes on is not held up. */
const stepMs = 3000;
/** How often a watch tells something. */
const wordMs = 60_000;

/** `tell`: has the cluster say something. */
export function createTime(tell: () => Promise<void>): ServerTime {
  let offset = 0;
  let look = (): void => undefined;
  const step = (ms: number): void => {
    for (let left = ms; left > 0; left -= stepMs) {
      offset += Math.min(stepMs, left);
      look();
    }
  };
  return {
    clock: { now: () => Date.now() + offset },
    every(ms, tick) {
      look = tick;
      const timer = setInterval(tick, ms);
      return () => clearInterval(timer);
    },
    async pass(ms) {
      for (let left = ms; left > 0; left -= wordMs) {
        step(Math.min(wordMs, left));
        await tell();
      }
    },
    passUnseen: step,
    leap: (ms) => void (offset += ms),
  };
}
