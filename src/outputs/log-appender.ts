/**
 * The two files of one log, open for appending. A write that fails leaves nothing behind that counts: what it may have
 * written in part is taken away before the next one, which opens the files anew.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { inFolderOf } from './in-folder-of.ts';
import type { LogPaths } from './log-file.ts';

export class LogAppender {
  readonly #paths: LogPaths;
  #bytes: number;
  #indexBytes = Number.POSITIVE_INFINITY;
  #logFile: number | null = null;
  #indexFile: number | null = null;

  /** `bytes`: up to the end of the last whole line, behind which nothing stays. */
  constructor(paths: LogPaths, bytes: number) {
    this.#paths = paths;
    this.#bytes = bytes;
  }

  /** Lines and records of the index, all of them or none. */
  append(lines: string, records: readonly Buffer[]): void {
    try {
      const bytes = this.#writeLog(lines);
      if (records.length > 0) this.#writeIndex(Buffer.concat(records));
      this.#bytes += bytes;
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  /** The closing line, and nothing after it. */
  end(line: string): void {
    try {
      this.#writeLog(line);
    } catch (error) {
      this.#abandon();
      throw error;
    }
    this.close();
  }

  close(): void {
    const files = [this.#logFile, this.#indexFile];
    [this.#logFile, this.#indexFile] = [null, null];
    for (const file of files) if (file !== null) closeSync(file);
  }

  #writeLog(text: string): number {
    this.#logFile ??= openForAppending(this.#paths.log, this.#bytes).file;
    const bytes = Buffer.from(text);
    writeAll(this.#logFile, bytes);
    return bytes.length;
  }

  #writeIndex(records: Buffer): void {
    if (this.#indexFile === null) {
      const { file, bytes } = openForAppending(this.#paths.index, this.#indexBytes);
      [this.#indexFile, this.#indexBytes] = [file, bytes];
    }
    writeAll(this.#indexFile, records);
    this.#indexBytes += records.length;
  }

  #abandon(): void {
    try {
      this.close();
    } catch {
      // What closing would have written is part of what has failed.
    }
  }
}

/** What stands after the last whole line is taken away: half a line of a dying server, or the closing line. */
function openForAppending(path: string, bytes: number): { readonly file: number; readonly bytes: number } {
  const file = inFolderOf(path, () => openSync(path, 'a', 0o644));
  const { size } = fstatSync(file);
  if (size > bytes) ftruncateSync(file, bytes);
  return { file, bytes: Math.min(size, bytes) };
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}
