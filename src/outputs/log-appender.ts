/**
 * The two files of one log, open for appending. A write that fails leaves nothing behind that counts: what it may have
 * written in part is taken away before the next one, which opens the files anew. Lines that another server has written
 * meanwhile are never taken away, and nothing is put behind them: a server that was frozen in the middle of a write wakes
 * up after its attempts are another's.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { inFolderOf } from './in-folder-of.ts';
import { measureLog, type LogPaths } from './log-file.ts';

export class LogAppender {
  readonly #paths: LogPaths;
  #bytes: number;
  #indexBytes = Number.POSITIVE_INFINITY;
  #logFile: number | null = null;
  /** A write of ours may have left a part. */
  #isTorn = false;
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
      this.#isTorn = false;
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
    const bytes = Buffer.from(text);
    const file = (this.#logFile ??= this.#openLog());
    if (fstatSync(file).size !== this.#bytes) throw new Error(anothers);
    this.#isTorn = true;
    writeAll(file, bytes);
    return bytes.length;
  }

  #openLog(): number {
    const { log } = this.#paths;
    const { file, bytes } = openForAppending(log, this.#bytes, () => {
      if (!this.#isTorn && measureLog(this.#paths).bytes > this.#bytes) throw new Error(anothers);
    });
    this.#bytes = bytes;
    return file;
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

const anothers = 'another server has written to it';

/** What stands after `bytes` is taken away: half a line of a dying server, or the closing line. `mayTake` throws where it is more. */
function openForAppending(
  path: string,
  bytes: number,
  mayTake?: () => void,
): { readonly file: number; readonly bytes: number } {
  const file = inFolderOf(path, () => openSync(path, 'a', 0o644));
  try {
    const { size } = fstatSync(file);
    if (size > bytes) {
      mayTake?.();
      ftruncateSync(file, bytes);
    }
    return { file, bytes: Math.min(size, bytes) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}
