/**
 * Appends lines to one log. Lines gather during one turn of the event loop and are then written at once and
 * synchronously: the order is certain, the memory is bounded whatever a step prints, and a reader sees a line within
 * the same millisecond. A disk that is full or gone ends the log, never the step.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Clock } from '../std/clock.ts';
import {
  formatEnd,
  formatLine,
  indexEveryLines,
  indexRecord,
  noteClosedEmpty,
  type LogPaths,
  type LogShape,
} from './log-file.ts';
import { inFolderOf } from './in-folder-of.ts';
import { createLineSplitter, type LineSplitter } from './log-lines.ts';
import type { LogLine, LogWriter } from './outputs.ts';

export interface LogLimits {
  readonly lineBytesMax: number;
  readonly logBytesMax: number;
}

/** A log that is being written, and how far it is. */
export interface OpenLog extends LogWriter {
  readonly shape: () => LogShape;
  /** Writes what has gathered, so that a reader finds it. */
  flush(): void;
  /** The same, and nothing after it: the log is another's. */
  release(): void;
}

const gatherBytesMax = 64 * 1024;

export function openLog(
  paths: LogPaths,
  before: LogShape,
  clock: Clock,
  limits: LogLimits,
  changed: () => void,
): OpenLog {
  let [total, bytes, closed] = [before.total, before.bytes, false];
  let kept = { total, bytes };
  let [gathered, gatheredBytes, recordsGathered]: [string[], number, Buffer[]] = [[], 0, []];
  let state: 'open' | 'full' | 'broken' = bytes >= limits.logBytesMax ? 'full' : 'open';
  let scheduled: NodeJS.Immediate | null = null;
  let [logFile, indexFile]: [number | null, number | null] = [null, null];

  const flush = (): void => {
    if (scheduled !== null) clearImmediate(scheduled);
    scheduled = null;
    if (gathered.length === 0) return;
    try {
      logFile ??= openForAppending(paths.log, before.bytes);
      writeAll(logFile, Buffer.from(gathered.join('')));
      if (recordsGathered.length > 0) {
        indexFile ??= openSync(paths.index, 'a', 0o644);
        writeAll(indexFile, Buffer.concat(recordsGathered));
      }
      kept = { total, bytes };
    } catch {
      // The disk is full or gone. What is lost is part of a log, and the step goes on.
      state = 'broken';
      ({ total, bytes } = kept);
    }
    [gathered, gatheredBytes, recordsGathered] = [[], 0, []];
    changed();
  };

  const append = (at: number, stream: LogLine['stream'], text: string): void => {
    const line = formatLine(at, stream, text);
    if (total > 0 && total % indexEveryLines === 0) recordsGathered.push(indexRecord(total + 1, bytes));
    const size = Buffer.byteLength(line);
    total += 1;
    bytes += size;
    gathered.push(line);
    gatheredBytes += size;
    if (gatheredBytes >= gatherBytesMax) flush();
    else scheduled ??= setImmediate(flush);
  };

  const take = (at: number, stream: LogLine['stream'], text: string): void => {
    if (state !== 'open') return;
    if (bytes + text.length >= limits.logBytesMax) {
      state = 'full';
      const told = `This log has reached its limit of ${limits.logBytesMax} bytes: what follows is not kept.`;
      append(at, 'contender', told);
    } else append(at, stream, text);
  };

  const splitters = new Map<LogLine['stream'], LineSplitter>();
  const splitterOf = (stream: LogLine['stream']): LineSplitter => {
    const found =
      splitters.get(stream) ?? createLineSplitter(limits.lineBytesMax, (line) => take(clock.now(), stream, line));
    splitters.set(stream, found);
    return found;
  };

  return {
    shape: () => ({ total, bytes, closed }),
    flush,
    release() {
      if (closed) return;
      flush();
      closed = true;
      for (const file of [logFile, indexFile]) if (file !== null) closeSync(file);
    },
    write(stream, chunk) {
      if (closed) return;
      splitterOf(stream).push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    },
    line({ at, stream, text }) {
      if (!closed) take(at, stream, text.replaceAll('\n', ' '));
    },
    async close() {
      if (closed) return;
      for (const splitter of splitters.values()) splitter.end();
      flush();
      closed = true;
      try {
        if (total === 0) noteClosedEmpty(paths);
        else {
          logFile ??= openForAppending(paths.log, before.bytes);
          writeAll(logFile, Buffer.from(formatEnd(clock.now(), total)));
          closeSync(logFile);
        }
        if (indexFile !== null) closeSync(indexFile);
      } catch {
        state = 'broken';
      }
      changed();
    },
  };
}

/** What stands after the last whole line is taken away: half a line of a dying server, or the closing line. */
function openForAppending(path: string, bytes: number): number {
  const file = inFolderOf(path, () => openSync(path, 'a', 0o644));
  if (fstatSync(file).size > bytes) ftruncateSync(file, bytes);
  return file;
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}
