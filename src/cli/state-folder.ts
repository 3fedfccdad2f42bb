/** The folder of journal, logs and artifacts, made for its owner alone and out of Git's sight. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '../std/error-message.ts';

export async function makeStateFolder(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    await writeFile(join(directory, '.gitignore'), '# Contender keeps its state here.\n*\n', { flag: 'wx' });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  }
}
