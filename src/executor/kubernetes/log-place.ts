/**
 * How far the log of a container has been read, told by the times of its lines alone, since the cluster numbers none; pure.
 * The lines of a file keep their order, but not always that of their times: two streams are written by two hands. So the
 * place is the first line of the newest time that was kept, and how many were kept from there on. A reading that begins
 * anew passes over all that stands before it, and over as many lines; where that line is not met, it is not there any more.
 */
import type { LogStore } from '../../outputs/outputs.ts';
import { logLimits } from '../../outputs/outputs.ts';

/** `at`: the newest time of a kept line, in milliseconds since the epoch. `count`: of the lines from the first such on. */
export interface KeptTail {
  readonly at: number;
  readonly count: number;
}

/** `new after a gap`: what was kept last is not there any more, and whatever stood between the two neither. */
export type Seen = 'kept' | 'new' | 'new after a gap';

export interface LogPlace {
  readonly newestAt: number;
  /** A reading begins: from when on it is to be asked for, in milliseconds; null: from the beginning. */
  begin(): number | null;
  /** The next whole line of the reading. */
  see(at: number): Seen;
  keep(at: number): void;
}

/** So far apart may the times of two streams be: more than a runtime holds a line back that it has stamped. */
const disorderMs = 250;

export function createLogPlace(kept: KeptTail): LogPlace {
  let { at: newestAt, count } = kept;
  /** Of the lines to pass over: null where their first is still to be met. */
  let left: number | null = 0;
  return {
    get newestAt() {
      return newestAt;
    },
    begin() {
      left = count === 0 ? 0 : null;
      const since = newestAt - disorderMs;
      // To the second, as the cluster takes it.
      return count === 0 ? null : Math.max(0, since - (since % 1000));
    },
    see(at) {
      if (left === 0) return 'new';
      if (at > newestAt) {
        left = 0;
        return 'new after a gap';
      }
      if (left === null && at < newestAt) return 'kept';
      left = (left ?? count) - 1;
      return 'kept';
    },
    keep(at) {
      count = at > newestAt ? 1 : count + 1;
      newestAt = Math.max(newestAt, at);
    },
  };
}

/** What is kept of a log that begins after `linesBefore`, as far as it can be told from its end. */
export async function keptTail(logs: LogStore, key: string, linesBefore: number): Promise<KeptTail> {
  const total = logs.size(key);
  const from = Math.max(linesBefore + 1, total - logLimits.pageLinesMax + 1);
  if (total < from) return { at: 0, count: 0 };
  const times = (await logs.read(key, from, total)).lines.flatMap(({ stream, at }) => (stream === 'out' ? [at] : []));
  const at = times.reduce((newest, each) => Math.max(newest, each), 0);
  return { at, count: times.length === 0 ? 0 : times.length - times.indexOf(at) };
}
