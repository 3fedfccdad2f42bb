/** The local executor under the contract of all executors. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readProcess } from '../../src/executor/local/processes.ts';
import { executorKeepsItsContract, type Behaviour } from '../contract/executor.ts';
import { lookSpecOf, openWorkshop, shell, specOf } from './workshop.ts';

const scripts: Readonly<Record<Behaviour, string>> = {
  succeeds: 'true',
  fails: 'exit 1',
  'runs on': 'sleep 60',
  'ignores the warning': 'trap "" TERM; while :; do sleep 1; done',
};

const looks = `
import { appendFileSync } from 'node:fs';
import { pipeline, waitFor } from 'contender';

const loop = () => { for (;;); };
export default pipeline('looks', {}, () => {
  waitFor.until('looks', { input: { as: 'sees', tally: '' }, run: ({ as, tally }, { signal }) => {
    if (as === 'looks on' || as === 'ignores the warning') appendFileSync(tally, process.pid + '\\n');
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

executorKeepsItsContract('local', async () => {
  const workshop = await openWorkshop({ '.pipelines/looks.ts': looks });
  const [tally, lookers] = [join(workshop.folder, 'tally'), join(workshop.folder, 'lookers')];
  return {
    ...workshop,
    spec: (behaviour) => specOf(shell(`echo $CONTENDER_ATTEMPT_ID >> ${tally}; ${scripts[behaviour]}`)),
    lookSpec: (as) => lookSpecOf('.pipelines/looks.ts', { as, tally: lookers }),
    async looksAtWork() {
      const lines = await readFile(lookers, 'utf8').catch(() => '');
      return lines.split('\n').filter((line) => line !== '' && readProcess(Number(line)) !== null).length;
    },
    async put(path, text) {
      await mkdir(dirname(join(workshop.sourceTree, path)), { recursive: true });
      await writeFile(join(workshop.sourceTree, path), text);
    },
    async begun(attemptId) {
      const lines = await readFile(tally, 'utf8').catch(() => '');
      return lines.split('\n').filter((line) => line === attemptId).length;
    },
    outlives: false,
    next: async () => workshop.reopen(),
  };
});
