/** Logs in a directory: a folder for each run, two files for each attempt (see log-file.ts). */
import { join } from 'node:path';
import type { Clock } from '../std/clock.ts';
import { linesFrom, measureLog, parseLine, positionOf, wasClosedEmpty, type LogPaths } from './log-file.ts';
import { openLog, type LogLimits, type OpenLog } from './log-writer.ts';
import { logLimits, type LogLine, type LogPage, type LogStore } from './outputs.ts';
import { safePath } from './safe-name.ts';

export interface DirectoryLogOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly limits?: LogLimits;
}

export function createDirectoryLogStore(options: DirectoryLogOptions): LogStore {
  const { directory, clock, limits = logLimits } = options;
  const open = new Map<string, OpenLog>();
  const listeners = new Map<string, Set<() => void>>();

  const pathsOf = (key: string): LogPaths => {
    const { folder, name } = safePath(key);
    const path = join(directory, folder, name);
    return { log: `${path}.log`, index: `${path}.index` };
  };
  const tell = (key: string): void => {
    for (const listener of listeners.get(key) ?? []) listener();
  };

  return {
    writer(key) {
      const present = open.get(key);
      if (present !== undefined) return present;
      const paths = pathsOf(key);
      const log = openLog(paths, measureLog(paths), clock, limits, () => {
        if (log.shape().closed) open.delete(key);
        tell(key);
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
      return { lines: await readLines(paths, Math.max(1, from), Math.min(to, total)), total, closed };
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
