/** What the container of one attempt prints, from its beginning to its end. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Collected } from '../agent/contract.ts';
import { keptTail, tailLog, type LogTail, type LogTailOptions } from './log-tail.ts';

export interface ContainerLog {
  /** Harmless the second time. */
  started(): void;
  /** Resolves when all that it printed is known, or will not be. */
  collect(): Promise<Pick<Collected, 'lastLine'>>;
  end(): Promise<void>;
}

export interface ContainerLogOptions extends Omit<LogTailOptions, 'kept'> {
  readonly kept: () => ReturnType<typeof keptTail>;
}

/** An API that does not answer holds up the end of a step no longer than this. */
const patienceMs = 30_000;

export function openContainerLog(options: ContainerLogOptions): ContainerLog {
  let tail: Promise<LogTail> | null = null;
  const start = (): Promise<LogTail> => (tail ??= options.kept().then((kept) => tailLog({ ...options, kept })));
  const untilRead = async ({ done }: LogTail): Promise<void> => {
    const patience = new AbortController();
    await Promise.race([done, pause(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
    patience.abort();
  };
  return {
    started: () => void start(),
    async collect() {
      const own = await start();
      await untilRead(own);
      return { lastLine: own.lastLine() };
    },
    async end() {
      if (tail === null) return;
      const own = await tail;
      await untilRead(own);
      own.close();
    },
  };
}
