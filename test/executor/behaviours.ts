/** What attempts and looks of the executors' contract really do, wherever they run. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readProcess } from '../../src/executor/local/processes.ts';
import type { Behaviour } from '../contract/executor.ts';

/** For a shell. */
export const behaviourScripts: Readonly<Record<Behaviour, string>> = {
  succeeds: 'true',
  fails: 'exit 1',
  'runs on': 'sleep 600',
  'ignores the warning': 'trap "" TERM; while :; do sleep 1; done',
};

export const looksFile = '.pipelines/looks.ts';

/** A definition whose look behaves as it is told; one that does not end by itself notes its process in `tally`, where that is given. */
export const looksDefinition = `
import { appendFileSync } from 'node:fs';
import { pipeline, waitFor } from 'contender';

const loop = () => { for (;;); };
export default pipeline('looks', {}, () => {
  waitFor.until('looks', { input: { as: 'sees', tally: '' }, run: ({ as, tally }, { signal }) => {
    if (tally !== '' && (as === 'looks on' || as === 'ignores the warning')) appendFileSync(tally, process.pid + '\\n');
    switch (as) {
      case 'sees': return { there: true };
      case 'sees nothing': return false;
      case 'fails': throw new Error('it broke');
      case 'looks on': return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
      default: return loop();
    }
  } });
});
`;

/** How many of the looks that noted their process in `tally` are at work now. */
export async function looksAtWorkIn(tally: string): Promise<number> {
  const lines = await readFile(tally, 'utf8').catch(() => '');
  return lines.split('\n').filter((line) => line !== '' && readProcess(Number(line)) !== null).length;
}

/** Writes files of the commit, which lie in this folder. */
export function putIn(folder: string): (path: string, text: string) => Promise<void> {
  return async (path, text) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
}
