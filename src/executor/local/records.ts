/**
 * What must outlive the server about each attempt: that it was started, as which process, and how it ended. The file is
 * made before the process, so an attempt is started once whatever happens; the end is written before it is reported,
 * so a report that was lost with the server can be given again. Power loss ends the processes too: nothing is synced.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptReport } from '../executor.ts';
import { safePath } from '../../outputs/safe-name.ts';

export interface AttemptRecord {
  readonly attemptId: string;
  readonly boot: string;
  /** Null while there is none yet. */
  readonly process: { readonly pid: number; readonly startedAt: string } | null;
  /** Null while it runs. */
  readonly finished: Extract<AttemptReport, { type: 'finished' }> | null;
}

export interface AttemptRecords {
  /** False where the attempt was begun before. */
  begin(record: AttemptRecord): boolean;
  write(record: AttemptRecord): void;
  read(attemptId: string): AttemptRecord | null;
  /** Forgets runs in which nothing happened since `before` (milliseconds since the epoch). */
  prune(before: number): void;
}

export function openAttemptRecords(directory: string): AttemptRecords {
  const made = new Set<string>();
  const pathOf = (attemptId: string): string => {
    const { folder, name } = safePath(attemptId);
    const path = join(directory, folder);
    if (!made.has(path)) {
      mkdirSync(path, { recursive: true });
      if (made.size > 1000) made.clear();
      made.add(path);
    }
    return join(path, `${name}.json`);
  };
  return {
    begin(record) {
      try {
        writeFileSync(pathOf(record.attemptId), JSON.stringify(record), { flag: 'wx' });
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
        throw error;
      }
    },
    write(record) {
      writeFileSync(pathOf(record.attemptId), JSON.stringify(record));
    },
    read(attemptId) {
      try {
        // Written by us; a file that a dying server wrote by half is no JSON.
        return JSON.parse(readFileSync(pathOf(attemptId), 'utf8')) as AttemptRecord;
      } catch {
        return null;
      }
    },
    prune(before) {
      for (const run of listOrNone(directory)) {
        const path = join(directory, run);
        const newest = Math.max(...[path, ...listOrNone(path).map((name) => join(path, name))].map(changedAt));
        if (newest < before) rmSync(path, { recursive: true, force: true });
      }
      made.clear();
    },
  };
}

function listOrNone(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
