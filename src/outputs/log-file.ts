/**
 * One log as one file, or two. `<name>.log` has a line of text for each line, `<milliseconds> <o|e|c> <text>`, and is
 * only ever appended to. `<name>.index` comes with the thousandth line and has 16 bytes for every thousandth: its number
 * and its offset, so that any line of a log of millions is found with two reads. When the writer closes the log, a last
 * line of the letter `x` says how many lines it has; a log without it was left by a server that died, and its lines are
 * counted from the last record on. A log that was closed without a line has no file, because making one, and a folder for
 * it, takes longer than most of a short step: its name stands in a file beside the folders, `closed-empty~<prefix>`, which
 * the logs of all runs share that begin like that. Ids of runs begin with the time, so those of half a minute do.
 */
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { open, readFile, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { inFolderOf } from './in-folder-of.ts';
import type { LogLine } from './outputs.ts';
import { safePath } from './safe-name.ts';
import { hasErrorCode } from '../std/error-message.ts';

export const indexEveryLines = 1000;
const indexRecordBytes = 16;

const streamOfLetter = { o: 'out', e: 'err', c: 'contender' } as const;
const letterOfStream = { out: 'o', err: 'e', contender: 'c' } as const;

export interface LogPaths {
  readonly log: string;
  readonly index: string;
  /** What it is called among those that were closed without a line, and where these stand. */
  readonly name: string;
  readonly closedEmpty: string;
}

const sharedPrefixLength = 7;
/** Of the files that name logs without a line. */
export const closedEmptyPrefix = 'closed-empty~';

export function logPathsOf(directory: string, key: string): LogPaths {
  const { folder, name } = safePath(key);
  const path = join(directory, folder, name);
  const closedEmpty = join(directory, `${closedEmptyPrefix}${folder.slice(0, sharedPrefixLength)}`);
  return { log: `${path}.log`, index: `${path}.index`, name: `${folder}/${name}`, closedEmpty };
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

/** The last line of a closed log; it is no line of the log itself. */
export function formatEnd(at: number, total: number): string {
  return `${at} x ${total}\n`;
}

/** A record of the index: `line` begins at `offset`. */
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
 * How many lines there are, found without their writer. Synchronous, because a writer is opened so: it reads the end of
 * a closed log, and at most the lines after the last record of one whose server died.
 */
export function measureLog(paths: LogPaths): LogShape {
  const file = openSyncOrNull(paths.log);
  if (file === null) return { total: 0, bytes: 0, closed: false };
  try {
    const { size } = fstatSync(file);
    const end = Buffer.alloc(Math.min(size, endBytesMax));
    readSync(file, end, 0, end.length, size - end.length);
    const match = /(?:^|\n)(\d+ x (\d+)\n)$/.exec(end.toString('latin1'));
    if (match?.[1] !== undefined) return { total: Number(match[2]), bytes: size - match[1].length, closed: true };
    return countLines(file, lastRecord(paths.index, size));
  } finally {
    closeSync(file);
  }
}

/** Keeps that the log was closed without a line. */
export function noteClosedEmpty({ name, closedEmpty }: LogPaths): void {
  inFolderOf(closedEmpty, () => appendFileSync(closedEmpty, `${name}\n`));
}

export async function wasClosedEmpty({ name, closedEmpty }: LogPaths): Promise<boolean> {
  try {
    return `\n${await readFile(closedEmpty, 'utf8')}`.includes(`\n${name}\n`);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** More than the closing line can have. */
const endBytesMax = 64;

function lastRecord(path: string, bytes: number): LogPosition {
  const first = { line: 1, offset: 0 };
  const file = openSyncOrNull(path);
  if (file === null) return first;
  try {
    for (let at = Math.floor(fstatSync(file).size / indexRecordBytes) - 1; at >= 0; at -= 1) {
      const buffer = Buffer.alloc(indexRecordBytes);
      readSync(file, buffer, 0, indexRecordBytes, at * indexRecordBytes);
      const record = parseRecord(buffer);
      if (record.offset <= bytes) return record;
    }
    return first;
  } finally {
    closeSync(file);
  }
}

function countLines(file: number, start: LogPosition): LogShape {
  const buffer = Buffer.allocUnsafe(256 * 1024);
  let [total, end, offset] = [start.line - 1, start.offset, start.offset];
  const next = (): number => readSync(file, buffer, 0, buffer.length, offset);
  for (let read = next(); read > 0; read = next()) {
    for (let at = buffer.indexOf(10); at !== -1 && at < read; at = buffer.indexOf(10, at + 1)) {
      total += 1;
      end = offset + at + 1;
    }
    offset += read;
  }
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
    // Record k is of line 1000 (k + 1) + 1, save where a server died before it could write one.
    for (; record >= 0; record -= 1) {
      const found = await readRecord(index, record);
      if (found !== null && found.line <= line && found.offset <= bytes) return found;
    }
    return first;
  } catch {
    return first;
  } finally {
    await index.close();
  }
}

export interface FileLine {
  readonly number: number;
  readonly text: string;
}

/** The whole lines of the file from `start` on, a piece of the file at a time: one wait for thousands of lines. */
export async function* linesFrom(path: string, start: LogPosition): AsyncGenerator<readonly FileLine[]> {
  const file = await openOrNull(path);
  if (file === null) return;
  try {
    const buffer = Buffer.allocUnsafe(256 * 1024);
    let [held, offset, number] = [0, start.offset, start.line];
    for (;;) {
      const { bytesRead } = await file.read(buffer, held, buffer.length - held, offset + held);
      const filled = held + bytesRead;
      const lines: FileLine[] = [];
      let from = 0;
      for (let at = buffer.indexOf(10); at !== -1 && at < filled; at = buffer.indexOf(10, from)) {
        lines.push({ number, text: buffer.toString('utf8', from, at) });
        number += 1;
        from = at + 1;
      }
      yield lines;
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
  return bytesRead < indexRecordBytes ? null : parseRecord(buffer);
}

function parseRecord(buffer: Buffer): LogPosition {
  return { line: buffer.readDoubleLE(0), offset: buffer.readDoubleLE(8) };
}

function openSyncOrNull(path: string): number | null {
  // Asked first: most are not there, and an error that is thrown takes longer.
  if (!existsSync(path)) return null;
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}
