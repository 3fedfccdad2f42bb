/**
 * What must outlive the server about each attempt: that it was started, as which process, and how it ended. The start
 * is written before the process is made, so an attempt is started once whatever happens; the end is written before it
 * is reported, so a report that was lost with the server can be given again.
 *
 * One file of JSON lines that is appended to, and the one before it: when the file is full, it takes the place of the
 * older one. In memory stand only the places of the lines. Power loss ends the processes too: nothing is synced.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { AttemptReport } from '../executor.ts';

export interface AttemptRecord {
  readonly attemptId: string;
  readonly boot: string;
  /** Null while there is none yet, and when it has ended. */
  readonly process: { readonly pid: number; readonly startedAt: string } | null;
  /** Null while it runs. */
  readonly finished: Extract<AttemptReport, { type: 'finished' }> | null;
}

export interface AttemptRecords {
  /** False where the attempt was begun before. Throws where it cannot be written: then it must not begin. */
  begin(record: AttemptRecord): boolean;
  write(record: AttemptRecord): void;
  read(attemptId: string): AttemptRecord | null;
  close(): void;
}

interface Generation {
  file: number;
  bytes: number;
  /** Where the newest line of each attempt stands. */
  readonly places: Map<string, { readonly offset: number; readonly bytes: number }>;
}

const generationBytesMax = 32 * 1024 * 1024;

export function openAttemptRecords(directory: string, bytesMax: number = generationBytesMax): AttemptRecords {
  mkdirSync(directory, { recursive: true });
  const paths = { now: join(directory, 'attempts.jsonl'), before: join(directory, 'attempts-before.jsonl') };
  let before = existsSync(paths.before) ? openGeneration(paths.before) : null;
  let now = openGeneration(paths.now);

  const read = (attemptId: string): AttemptRecord | null =>
    readRecord(now, attemptId) ?? (before === null ? null : readRecord(before, attemptId));

  const turn = (): void => {
    const older = before;
    closeSync(now.file);
    renameSync(paths.now, paths.before);
    before = openGeneration(paths.before);
    now = openGeneration(paths.now);
    if (older === null) return;
    // What still runs after so many others is carried on; what has ended so long ago is forgotten.
    for (const attemptId of older.places.keys()) {
      const record = before.places.has(attemptId) ? null : readRecord(older, attemptId);
      if (record !== null && record.finished === null) append(now, record);
    }
    closeSync(older.file);
  };
  const write = (record: AttemptRecord): void => {
    if (now.bytes > bytesMax) turn();
    append(now, record);
  };
  return {
    begin(record) {
      if (now.places.has(record.attemptId) || before?.places.has(record.attemptId) === true) return false;
      write(record);
      return true;
    },
    write(record) {
      try {
        write(record);
      } catch {
        // The disk is full or gone. The attempt goes on and is reported; only a server that dies now forgets its end.
      }
    },
    read,
    close() {
      closeSync(now.file);
      if (before !== null) closeSync(before.file);
    },
  };
}

function openGeneration(path: string): Generation {
  const file = openSync(path, 'a+', 0o600);
  const generation: Generation = { file, bytes: fstatSync(file).size, places: new Map() };
  const content = readFileSync(path);
  let offset = 0;
  for (let end = content.indexOf(10); end !== -1; end = content.indexOf(10, offset)) {
    const record = parseRecord(content.subarray(offset, end));
    if (record !== null) generation.places.set(record.attemptId, { offset, bytes: end - offset });
    offset = end + 1;
  }
  // A line that a dying server wrote by half gets an end, so that the next one begins a line.
  if (offset < content.length) generation.bytes += writeSync(file, '\n');
  return generation;
}

function append(generation: Generation, record: AttemptRecord): void {
  const line = Buffer.from(`${JSON.stringify(record)}\n`);
  for (let written = 0; written < line.length;) written += writeSync(generation.file, line, written);
  generation.places.set(record.attemptId, { offset: generation.bytes, bytes: line.length - 1 });
  generation.bytes += line.length;
}

function readRecord(generation: Generation, attemptId: string): AttemptRecord | null {
  const place = generation.places.get(attemptId);
  if (place === undefined) return null;
  const line = Buffer.alloc(place.bytes);
  readSync(generation.file, line, 0, place.bytes, place.offset);
  return parseRecord(line);
}

function parseRecord(line: Uint8Array): AttemptRecord | null {
  try {
    // Written by us.
    return JSON.parse(Buffer.from(line).toString()) as AttemptRecord;
  } catch {
    return null;
  }
}
