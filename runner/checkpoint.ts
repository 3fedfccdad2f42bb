/**
 * The directory that a step keeps between its tries. Most steps leave theirs empty, and to make and to remove one takes
 * longer than the rest of a short step: so an empty one, which no further try asks for, is given to the next attempt of this
 * process under the path of that attempt.
 */
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { inFolderOf } from '../src/outputs/in-folder-of.ts';

export interface Checkpoints {
  /** It is there afterwards, with what the try before left in it. Throws where it cannot be made. */
  open(path: string): void;
  /** To be called when no try comes after this one. False where something is in it, which others remove. */
  close(path: string): boolean;
}

/** `place`: where the empty one lies between two attempts. It is this process's alone, and others remove it in the end. */
export function handOnCheckpoints(place: string): Checkpoints {
  let isThere = false;
  return {
    open(path) {
      if (isThere && moved(place, path)) isThere = false;
      else mkdirSync(path, { recursive: true });
    },
    close(path) {
      if (!isEmpty(path) || !moved(path, place)) return false;
      isThere = true;
      return true;
    },
  };
}

export function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return false;
  }
}

/** False where something is in the directory at the other path already. */
function moved(from: string, to: string): boolean {
  try {
    inFolderOf(to, () => renameSync(from, to));
    return true;
  } catch {
    return false;
  }
}
