/** Logs in a directory: a folder for each run, two files for each attempt (see log-file.ts). */
import type { Clock } from '../std/clock.ts';
import { linesFrom, logPathsOf, measureLog, parseLine, positionOf, wasClosedEmpty, type LogPaths } from './log-file.ts';
import { openLog, type LogLimits, type OpenLog } from './log-writer.ts';
import { logLimits, type LogLine, type LogPage, type LogStore } from './outputs.ts';

export interface DirectoryLogOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly limits?: LogLimits;
  /** Told when a log cannot be written, once until they can be again, five seconds later or more (null). */
  readonly trouble?: (trouble: LogTrouble | null) => void;
}

export interface LogTrouble {
  readonly key: string;
  readonly reason: string;
}

/** On a disk that is nearly full, one write finds room and the next does not. */
const calmMs = 5000;

export function createDirectoryLogStore(options: DirectoryLogOptions): LogStore {
  const { directory, clock, limits = logLimits } = options;
  const open = new Map<string, OpenLog>();
  const listeners = new Map<string, Set<() => void>>();

  const pathsOf = (key: string): LogPaths => logPathsOf(directory, key);
  const tell = (key: string): void => {
    for (const listener of listeners.get(key) ?? []) listener();
  };
  let failedAt: number | null = null;
  const failed = (key: string, reason: string): void => {
    if (failedAt === null) options.trouble?.({ key, reason });
    failedAt = clock.now();
    tell(key);
  };
  const written = (key: string, log: OpenLog): void => {
    if (log.shape().closed) open.delete(key);
    tell(key);
    if (failedAt === null || clock.now() - failedAt < calmMs) return;
    failedAt = null;
    options.trouble?.(null);
    // Those that nobody writes to any more.
    for (const other of open.values()) if (other.gap() !== null) other.flush();
  };

  return {
    writer(key) {
      const present = open.get(key);
      present?.goOn();
      if (present !== undefined) return present;
      const paths = pathsOf(key);
      const log: OpenLog = openLog(paths, measureLog(paths), clock, limits, {
        written: () => written(key, log),
        failed: (reason) => failed(key, reason),
      });
      open.set(key, log);
      return log;
    },
    release(key) {
      open.get(key)?.release();
      open.delete(key);
    },
    async read(key, from, to) {
      const paths = pathsOf(key);
      const live = open.get(key);
      live?.flush();
      const { total, closed } = live?.shape() ?? measureLog(paths);
      if (total === 0 && live === undefined) return { lines: [], total, closed: await wasClosedEmpty(paths) };
      const gap = live?.gap() ?? null;
      const lines = await readLines(paths, Math.max(1, from), Math.min(to, total));
      if (gap === null) return { lines, total, closed };
      const isAsked = from <= gap.number && gap.number <= to && lines.length < logLimits.pageLinesMax;
      return { lines: isAsked ? [...lines, gap] : lines, total: gap.number, closed };
    },
    size(key) {
      const live = open.get(key);
      live?.flush();
      return (live?.shape() ?? measureLog(pathsOf(key))).total;
    },
    watch(key, listener) {
      const present = listeners.get(key) ?? new Set();
      listeners.set(key, present.add(listener));
      return () => {
        present.delete(listener);
        if (present.size === 0 && listeners.get(key) === present) listeners.delete(key);
      };
    },
  };
}

async function readLines(paths: LogPaths, from: number, to: number): Promise<LogPage['lines']> {
  const lines: LogLine[] = [];
  if (to < from) return lines;
  for await (const piece of linesFrom(paths.log, await positionOf(paths, from))) {
    for (const { number, text } of piece) {
      if (number > to || lines.length >= logLimits.pageLinesMax) return lines;
      const line = number < from ? null : parseLine(number, text);
      if (line !== null) lines.push(line);
    }
  }
  return lines;
}
