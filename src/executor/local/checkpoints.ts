/**
 * Directories that steps keep between their tries: one for each instance, in a folder of its run. A success takes its own
 * along, and the end of the run takes them all.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StepContextData } from '../../pipeline/context.ts';
import { safeName } from '../../outputs/safe-name.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { AttemptWork, LookWork } from '../executor.ts';
import type { FolderStock } from './folders.ts';

type Instance = Pick<StepContextData, 'runId' | 'step' | 'index'>;

export interface Checkpoints {
  place(instance: Instance): string;
  /** Removes those of every run but these. */
  retain(runIds: ReadonlySet<string>): void;
  release(runId: string): void;
}

/** Whether the step is told of one. A challenge scores two models, each of which would find the other's; a look has no next try. */
export function keepsCheckpoint({ kind }: AttemptWork | LookWork): boolean {
  switch (kind) {
    case 'function':
    case 'branch':
    case 'short-circuit':
    case 'command':
    case 'container':
      return true;
    case 'gate':
    case 'challenge':
    case 'wait':
      return false;
    default:
      return unreachable(kind);
  }
}

/** Of an instance, below the folder of an executor. */
export function checkpointIn(directory: string, { runId, step, index }: Instance): string {
  return join(directory, 'checkpoints', safeName(runId), safeName(`${step}/${index}`));
}

/** `parent`: the folder of the executor. */
export function openCheckpoints(parent: string, folders: Pick<FolderStock, 'remove'>): Checkpoints {
  const directory = join(parent, 'checkpoints');
  return {
    place: (instance) => checkpointIn(parent, instance),
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
