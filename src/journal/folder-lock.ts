/**
 * One server at a time on a folder. The lock is the kernel's own, on the file `server.lock`, held through an exclusive
 * transaction of SQLite: it ends with its process however that ends, two who start at once cannot both get it, and it
 * holds between containers that share the folder but not their process numbers, where a file with a number in it would
 * be taken for stale. Who holds it stands beside it in `server.json`, for the message only.
 */
import { existsSync, readFileSync, rmSync, writeFileSync, renameSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isJsonObject } from '../std/json.ts';
import type { Problem } from '../std/problem.ts';
import { failure, success, type Result } from '../std/result.ts';

export interface FolderLock {
  release(): void;
}

/** SQLITE_BUSY. */
const busy = 5;

/** Longer than a look at the lock takes, which shares it for that moment. */
const lookTimeMs = 50;

/** The folder must be there, on a local disk: network file systems do not keep such locks. */
export function lockFolder(directory: string): Result<FolderLock, Problem> {
  const database = new DatabaseSync(join(directory, 'server.lock'), { timeout: lookTimeMs });
  try {
    database.exec('begin exclusive');
  } catch (error) {
    database.close();
    if (isBusy(error)) return failure(locked(directory));
    throw error;
  }
  writeHolder(directory);
  return success({
    release() {
      if (!database.isOpen) return;
      rmSync(holderFile(directory), { force: true });
      database.close();
    },
  });
}

/** Whether a server holds the folder at this moment. */
export function isFolderLocked(directory: string): boolean {
  const path = join(directory, 'server.lock');
  if (!existsSync(path)) return false;
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    database.prepare('select count(*) from sqlite_schema').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    database.close();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === busy;
}

function holderFile(directory: string): string {
  return join(directory, 'server.json');
}

function writeHolder(directory: string): void {
  const unfinished = `${holderFile(directory)}.unfinished`;
  writeFileSync(unfinished, `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`);
  renameSync(unfinished, holderFile(directory));
}

function locked(directory: string): Problem {
  const holder = readHolder(directory);
  const who = holder === null ? 'another server that is just starting' : `process ${holder.pid} on ${holder.host}`;
  return {
    code: 'folder-locked',
    message: `${directory} is in use by ${who}`,
    where: null,
    help: 'Stop that server first, or give this one a folder of its own.',
  };
}

/** Null between the moment that somebody has the lock and the moment that the file says who. */
function readHolder(directory: string): { readonly pid: number; readonly host: string } | null {
  try {
    const holder: unknown = JSON.parse(readFileSync(holderFile(directory), 'utf8'));
    if (isJsonObject(holder) && typeof holder['pid'] === 'number' && typeof holder['host'] === 'string') {
      return { pid: holder['pid'], host: holder['host'] };
    }
    return null;
  } catch {
    return null;
  }
}
