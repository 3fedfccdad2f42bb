/** The local executor under the contract of all executors. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointsFollow } from '../contract/checkpoints.ts';
import { exitsAreRead } from '../contract/exits.ts';
import { executorKeepsItsContract } from '../contract/executor.ts';
import { behaviourScripts, looksDefinition, looksAtWorkIn, looksFile, putIn } from './behaviours.ts';
import { checkpointFiles, checkpointFunction, checkpointScripts } from './checkpoint-steps.ts';
import { boxed, lookSpecOf, openWorkshop, shell, specOf } from './workshop.ts';

executorKeepsItsContract('local', async () => {
  const workshop = await openWorkshop({ [looksFile]: looksDefinition });
  const [tally, lookers] = [join(workshop.folder, 'tally'), join(workshop.folder, 'lookers')];
  return {
    ...workshop,
    spec: (behaviour) => specOf(shell(`echo $CONTENDER_ATTEMPT_ID >> ${tally}; ${behaviourScripts[behaviour]}`)),
    lookSpec: (as) => lookSpecOf(looksFile, { as, tally: lookers }),
    looksAtWork: () => looksAtWorkIn(lookers),
    put: putIn(workshop.sourceTree),
    async begun(attemptId) {
      const lines = await readFile(tally, 'utf8').catch(() => '');
      return lines.split('\n').filter((line) => line === attemptId).length;
    },
    outlives: false,
    next: async () => workshop.reopen(),
  };
});

checkpointsFollow('local', async () => {
  const workshop = await openWorkshop();
  return { ...workshop, spec: (as) => specOf(shell(checkpointScripts[as])) };
});

checkpointsFollow('local, functions', async () => {
  const workshop = await openWorkshop(checkpointFiles);
  return { ...workshop, spec: (as) => specOf(checkpointFunction(as)) };
});

exitsAreRead('local', async () => {
  const workshop = await openWorkshop();
  return { ...workshop, spec: (script) => specOf(shell(script)) };
});

exitsAreRead('local, containers', async () => {
  const workshop = await openWorkshop();
  return { ...workshop, spec: (script) => specOf(boxed('box:1', script)) };
});
