/**
 * Real pipes for the output of commands. What Node calls a pipe is a socket, and a socket cannot be opened by the names
 * /dev/stdout and /dev/stderr, which many scripts do. A named pipe can; a few are made ahead, and one is used again
 * when its end was seen, since nobody can then be writing to it any more.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface OutputPipe {
  readonly path: string;
  readonly reader: Socket;
  /** To be inherited by the command, and closed here when it has been. */
  readonly writer: number;
  /** Gives it back; `ended` false: somebody may still write to it. */
  release(ended: boolean): void;
}

export interface PipeStock {
  take(): Promise<OutputPipe>;
  /** Resolves when nothing is being made any more: the folder may be removed then. */
  close(): Promise<void>;
}

const batch = 8;

export function createPipeStock(folder: string): PipeStock {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const free: string[] = [];
  let making: Promise<void> | null = null;

  const make = async (): Promise<void> => {
    const paths = Array.from({ length: batch }, () => join(folder, randomUUID()));
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    free.push(...paths);
  };
  const refill = (): Promise<void> => (making ??= make().finally(() => (making = null)));
  void refill().catch(() => {});

  return {
    async take() {
      while (free.length === 0) await refill();
      const path = free.pop() ?? '';
      // The reader first, without waiting for a writer; then a writer finds it.
      const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const writer = openSync(path, constants.O_WRONLY);
      const reader = new Socket({ fd: reading, readable: true, writable: false });
      return {
        path,
        reader,
        writer,
        release(ended) {
          if (ended) free.push(path);
          else rmSync(path, { force: true });
        },
      };
    },
    async close() {
      await making?.catch(() => undefined);
    },
  };
}

/** This process no longer writes to it; only the command does. */
export function handOver(pipe: OutputPipe): void {
  closeSync(pipe.writer);
}
