/**
 * One log as two files. `<name>.log` has a line of text for each line, `<milliseconds> <o|e|c> <text>`, and is only
 * ever appended to. `<name>.index` has 16 bytes for every thousandth line, its number and its offset, so that any line
 * of a log of millions is found with two reads. When the writer closes the log, a last record says how many lines it
 * has; a log without it was left by a server that died, and its lines are counted from the last record on.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { LogLine } from './outputs.ts';

export const indexEveryLines = 1000;
export const indexRecordBytes = 16;

const streamOfLetter = { o: 'out', e: 'err', c: 'contender' } as const;
const letterOfStream = { out: 'o', err: 'e', contender: 'c' } as const;

export interface LogPaths {
  readonly log: string;
  readonly index: string;
}

export function formatLine(at: number, stream: LogLine['stream'], text: string): string {
  return `${at} ${letterOfStream[stream]} ${text}\n`;
}

/** Null for what no writer of ours wrote. */
export function parseLine(number: number, line: string): LogLine | null {
  const match = /^(\d+) ([oec]) ([^]*)$/.exec(line);
  const letter = match?.[2];
  if (match === null || (letter !== 'o' && letter !== 'e' && letter !== 'c')) return null;
  return { number, at: Number(match[1]), stream: streamOfLetter[letter], text: match[3] ?? '' };
}

/** A record of the index: `line` begins at `offset`. Line 0 is the closing record: its offset is the number of lines. */
export function indexRecord(line: number, offset: number): Buffer {
  const record = Buffer.alloc(indexRecordBytes);
  record.writeDoubleLE(line, 0);
  record.writeDoubleLE(offset, 8);
  return record;
}

export interface LogPosition {
  readonly line: number;
  readonly offset: number;
}

export interface LogShape {
  /** Of whole lines. */
  readonly total: number;
  /** Bytes up to the end of the last whole line. */
  readonly bytes: number;
  readonly closed: boolean;
}

/**
 * How many lines there are, found without their writer. Synchronous, because a writer is opened so: it reads one record
 * of a closed log, and at most the lines after the last record of one whose server died.
 */
export function measureLog(paths: LogPaths): LogShape {
  if (!existsSync(paths.log)) return { total: 0, bytes: 0, closed: existsSync(paths.index) };
  const { size } = statSync(paths.log);
  const records = existsSync(paths.index) ? readFileSync(paths.index) : Buffer.alloc(0);
  let start: LogPosition = { line: 1, offset: 0 };
  for (let at = Math.floor(records.length / indexRecordBytes) - 1; at >= 0; at -= 1) {
    const record = parseRecord(records, at * indexRecordBytes);
    const isLast = (at + 1) * indexRecordBytes === records.length;
    if (record.line === 0 && isLast) return { total: record.offset, bytes: size, closed: true };
    if (record.line === 0 || record.offset > size) continue;
    start = record;
    break;
  }
  return countLines(paths.log, start);
}

function countLines(path: string, start: LogPosition): LogShape {
  const file = openSync(path, 'r');
  const buffer = Buffer.allocUnsafe(256 * 1024);
  let [total, end, offset] = [start.line - 1, start.offset, start.offset];
  for (
    let read = readSync(file, buffer, 0, buffer.length, offset);
    read > 0;
    read = readSync(file, buffer, 0, buffer.length, offset)
  ) {
    for (let at = buffer.indexOf(10); at !== -1 && at < read; at = buffer.indexOf(10, at + 1)) {
      total += 1;
      end = offset + at + 1;
    }
    offset += read;
  }
  closeSync(file);
  return { total, bytes: end, closed: false };
}

/** The nearest indexed place at or before `line`. */
export async function positionOf(paths: LogPaths, line: number): Promise<LogPosition> {
  const first = { line: 1, offset: 0 };
  const index = await openOrNull(paths.index);
  if (index === null) return first;
  try {
    const [{ size }, { size: bytes }] = await Promise.all([index.stat(), stat(paths.log)]);
    let record = Math.min(Math.floor((line - 1) / indexEveryLines), Math.floor(size / indexRecordBytes)) - 1;
    // Record k is of line 1000 (k + 1) + 1, save where a server died: then some are closing records or repeated.
    for (; record >= 0; record -= 1) {
      const found = await readRecord(index, record);
      if (found !== null && found.line > 0 && found.line <= line && found.offset <= bytes) return found;
    }
    return first;
  } catch {
    return first;
  } finally {
    await index.close();
  }
}

/** The whole lines of the file from `start` on, without holding more than a piece of it. */
export async function* linesFrom(
  path: string,
  start: LogPosition,
): AsyncGenerator<{ number: number; text: string; endOffset: number }> {
  const file = await openOrNull(path);
  if (file === null) return;
  try {
    const buffer = Buffer.allocUnsafe(256 * 1024);
    let [held, offset, number] = [0, start.offset, start.line];
    for (;;) {
      const { bytesRead } = await file.read(buffer, held, buffer.length - held, offset + held);
      const filled = held + bytesRead;
      let from = 0;
      for (let at = buffer.indexOf(10); at !== -1 && at < filled; at = buffer.indexOf(10, from)) {
        yield { number, text: buffer.toString('utf8', from, at), endOffset: offset + at + 1 };
        number += 1;
        from = at + 1;
      }
      if (bytesRead === 0) return;
      // A line is far shorter than the buffer; one that fills it is not ours, and the rest is not readable.
      if (from === 0 && filled === buffer.length) return;
      buffer.copyWithin(0, from, filled);
      held = filled - from;
      offset += from;
    }
  } finally {
    await file.close();
  }
}

async function readRecord(index: FileHandle, record: number): Promise<LogPosition | null> {
  const { buffer, bytesRead } = await index.read(
    Buffer.alloc(indexRecordBytes),
    0,
    indexRecordBytes,
    record * indexRecordBytes,
  );
  return bytesRead < indexRecordBytes ? null : parseRecord(buffer, 0);
}

function parseRecord(buffer: Buffer, at: number): LogPosition {
  return { line: buffer.readDoubleLE(at), offset: buffer.readDoubleLE(at + 8) };
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
