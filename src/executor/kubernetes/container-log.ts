/** What the container of one attempt prints, from its beginning to its end. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Collected } from '../agent/contract.ts';
import { backOff } from './api.ts';
import type { KeptTail } from './log-place.ts';
import { tailLog, type LogTail, type LogTailOptions } from './log-tail.ts';

export interface ContainerLog {
  /** Harmless the second time. */
  started(): void;
  /** Resolves when all that it printed is known, nothing has come for a while, or this server reads no more. */
  collect(): Promise<Pick<Collected, 'lastLine' | 'mayHaveMore'>>;
  /** Then too: whether all of it is there. */
  end(): Promise<boolean>;
}

export interface ContainerLogOptions extends Omit<LogTailOptions, 'kept' | 'ended'> {
  readonly kept: () => Promise<KeptTail>;
  readonly ended: () => Promise<void>;
  /** An API that brings nothing holds up the end of a step no longer than this. */
  readonly patienceMs?: number | undefined;
}

const defaultPatienceMs = 30_000;

/** Asked for until it can be read; it never rejects. */
async function keptOf({ kept, trouble, closing }: ContainerLogOptions): Promise<KeptTail> {
  for (let failures = 1; !closing.aborted; failures += 1) {
    try {
      return await kept();
    } catch (error) {
      trouble(error);
      await backOff(failures, error, closing);
    }
  }
  return { at: 0, count: 0 };
}

export function openContainerLog(options: ContainerLogOptions): ContainerLog {
  const { patienceMs = defaultPatienceMs } = options;
  let tail: Promise<LogTail> | null = null;
  const start = (): Promise<LogTail> =>
    (tail ??= keptOf(options).then((kept) => tailLog({ ...options, kept, ended: options.ended() })));
  /** Whether it was read to its end. */
  const read = async (own: LogTail): Promise<boolean> => {
    for (let before = -1; before !== own.received();) {
      before = own.received();
      const patience = new AbortController();
      const waited = pause(patienceMs, false, { signal: patience.signal }).catch(() => false);
      const isWhole = await Promise.race([own.done, waited]);
      patience.abort();
      if (isWhole) return true;
    }
    return false;
  };
  return {
    started: () => void start(),
    async collect() {
      const own = await start();
      const isWhole = await read(own);
      return { lastLine: own.lastLine(), mayHaveMore: !isWhole };
    },
    async end() {
      if (tail === null) return true;
      const own = await tail;
      const isWhole = await read(own);
      own.close();
      return isWhole;
    },
  };
}
