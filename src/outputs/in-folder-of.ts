/** Writes into folders that are nearly always there. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Does it again where it failed, when the folder of the path is surely there: to ask first would take longer each time. */
export function inFolderOf<Value>(path: string, write: () => Value): Value {
  try {
    return write();
  } catch {
    mkdirSync(dirname(path), { recursive: true });
    return write();
  }
}
