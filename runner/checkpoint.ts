/**
 * The directory that a step keeps between its tries. Most steps leave theirs empty, and to make and to remove one takes
 * longer than the rest of a short step: so an empty one, which no further try asks for, is given to the next attempt of this
 * process under the path of that attempt. In between it lies in the folder of its run, and goes with it.
 */
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';

let spare: string | null = null;

/** It is there afterwards, with what the try before left in it. Throws where it cannot be made. */
export function openCheckpoint(path: string): void {
  const moved = spare !== null && move(spare, path);
  spare = null;
  if (!moved) mkdirSync(path, { recursive: true });
}

/** To be called when no try comes after this one. False where something is in it, which others remove. */
export function closeCheckpoint(path: string): boolean {
  const place = join(dirname(path), `.spare-${process.pid}`);
  if (!isEmpty(path) || !move(path, place)) return false;
  spare = place;
  return true;
}

export function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return false;
  }
}

/** False where it is gone, with its run, or something is at the other path already. */
function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
