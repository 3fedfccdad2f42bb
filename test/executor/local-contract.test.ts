/** The local executor under the contract of all executors. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { executorKeepsItsContract, type Behaviour } from '../contract/executor.ts';
import { openWorkshop, shell, specOf } from './workshop.ts';

const scripts: Readonly<Record<Behaviour, string>> = {
  succeeds: 'true',
  fails: 'exit 1',
  'runs on': 'sleep 60',
  'ignores the warning': 'trap "" TERM; while :; do sleep 1; done',
};

executorKeepsItsContract('local', async () => {
  const workshop = await openWorkshop();
  const tally = join(workshop.folder, 'tally');
  return {
    ...workshop,
    spec: (behaviour) => specOf(shell(`echo $CONTENDER_ATTEMPT_ID >> ${tally}; ${scripts[behaviour]}`)),
    async put(path, text) {
      await mkdir(dirname(join(workshop.sourceTree, path)), { recursive: true });
      await writeFile(join(workshop.sourceTree, path), text);
    },
    async begun(attemptId) {
      const lines = await readFile(tally, 'utf8').catch(() => '');
      return lines.split('\n').filter((line) => line === attemptId).length;
    },
    next: async () => workshop.reopen(),
  };
});
