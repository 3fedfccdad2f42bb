/**
 * What must outlive the server about each attempt that runs elsewhere: what it is, whether an agent has begun it, and how
 * it ended. One small file each, in a folder of the run that goes with it. It is written before what it says can have an
 * effect: the file before the pod is asked for, the agent before it hears that it may begin, the end before it is reported.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { safePath } from '../../outputs/safe-name.ts';
import type { AttemptReport, AttemptSpec } from '../executor.ts';

export type FinishedReport = Extract<AttemptReport, { type: 'finished' }>;

export interface KeptAttempt {
  readonly spec: AttemptSpec;
  /** `agent`: which one has begun it, where and when. `linesBefore`: of the log, when it began. */
  readonly begun: {
    readonly agent: string;
    readonly linesBefore: number;
    readonly place: string;
    readonly at: number;
  } | null;
  readonly finished: FinishedReport | null;
}

export interface AttemptFiles {
  read(attemptId: string): KeptAttempt | null;
  /** Throws where it cannot be written: then what it says must not have its effect. */
  write(attemptId: string, kept: KeptAttempt): void;
  /** Removes those of every run but these. */
  retain(runIds: ReadonlySet<string>): void;
  release(runId: string): void;
}

export function openAttemptFiles(directory: string): AttemptFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const pathOf = (attemptId: string): { readonly folder: string; readonly file: string } => {
    const { folder, name } = safePath(attemptId);
    return { folder: join(directory, folder), file: join(directory, folder, `${name}.json`) };
  };
  const remove = (name: string): void => void rm(join(directory, name), { recursive: true, force: true });
  return {
    read(attemptId) {
      try {
        // Written by us, whole or not at all.
        return JSON.parse(readFileSync(pathOf(attemptId).file, 'utf8')) as KeptAttempt;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw error;
      }
    },
    write(attemptId, kept) {
      const { folder, file } = pathOf(attemptId);
      const incoming = `${file}.${randomBytes(6).toString('hex')}`;
      mkdirSync(folder, { recursive: true });
      try {
        writeFileSync(incoming, JSON.stringify(kept), { mode: 0o600, flag: 'wx' });
        renameSync(incoming, file);
      } catch (error) {
        rmSync(incoming, { force: true });
        throw error;
      }
    },
    retain(runIds) {
      const kept = new Set([...runIds].map((runId) => safePath(runId).folder));
      for (const name of readdirSync(directory)) if (!kept.has(name)) remove(name);
    },
    release: (runId) => remove(safePath(runId).folder),
  };
}
