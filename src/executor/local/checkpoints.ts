/**
 * Directories that steps keep between their tries: one for each instance, in a folder of its run. A success takes its own
 * along, and the end of the run takes them all.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { safeName } from '../../outputs/safe-name.ts';
import type { FolderStock } from './folders.ts';

export interface Checkpoints {
  place(runId: string, step: string, index: number): string;
  /** Removes those of every run but these. */
  retain(runIds: ReadonlySet<string>): void;
  release(runId: string): void;
}

export function openCheckpoints(directory: string, folders: Pick<FolderStock, 'remove'>): Checkpoints {
  return {
    place: (runId, step, index) => join(directory, safeName(runId), safeName(`${step}/${index}`)),
    retain(runIds) {
      if (!existsSync(directory)) return;
      const kept = new Set([...runIds].map(safeName));
      for (const name of readdirSync(directory)) if (!kept.has(name)) void folders.remove(join(directory, name));
    },
    release(runId) {
      const folder = join(directory, safeName(runId));
      // Most runs have none.
      if (existsSync(folder)) void folders.remove(folder);
    },
  };
}
