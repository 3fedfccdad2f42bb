/**
 * What a log has no room for: the last of it is held, in bounded memory, and of the others is known how many they were.
 * Two halves stand for a ring: when the newer one is full, the older is left out.
 */
import type { LogLine } from './outputs.ts';

type RestLine = Omit<LogLine, 'number'>;

export interface LogRest {
  /** `bytesMax`: of all lines that are held, as they would stand in the log. */
  add(line: RestLine, bytes: number, bytesMax: number): void;
  /** What is held, and what was left out before it; nothing is held any more. */
  take(): { readonly lines: readonly RestLine[]; readonly leftOut: LeftOut };
  clear(): void;
}

export interface LeftOut {
  readonly lines: number;
  readonly bytes: number;
}

interface Half {
  readonly lines: RestLine[];
  bytes: number;
}

export function createLogRest(): LogRest {
  let [older, newer]: [Half, Half] = [empty(), empty()];
  let leftOut: LeftOut = { lines: 0, bytes: 0 };
  const clear = (): void => void ([older, newer, leftOut] = [empty(), empty(), { lines: 0, bytes: 0 }]);
  return {
    add(line, bytes, bytesMax) {
      if (newer.bytes + bytes > bytesMax / 2) {
        leftOut = { lines: leftOut.lines + older.lines.length, bytes: leftOut.bytes + older.bytes };
        [older, newer] = [newer, empty()];
      }
      newer.lines.push(line);
      newer.bytes += bytes;
    },
    take() {
      const taken = { lines: [...older.lines, ...newer.lines], leftOut };
      clear();
      return taken;
    },
    clear,
  };
}

function empty(): Half {
  return { lines: [], bytes: 0 };
}
