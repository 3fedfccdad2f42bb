/** The Kubernetes executor under the contract of all executors, at a fake cluster whose pods are processes. */
import type { AttemptWork } from '../../../src/executor/executor.ts';
import { checkpointsFollow, type StepsUnderTest } from '../../contract/checkpoints.ts';
import { exitsAreRead } from '../../contract/exits.ts';
import { executorKeepsItsContract } from '../../contract/executor.ts';
import { checkpointFiles, checkpointFunction, checkpointScripts } from '../checkpoint-steps.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { shell, specOf } from '../workshop.ts';
import { openHarbour } from './harbour.ts';
import { executorUnderTest } from './shipyard.ts';

executorKeepsItsContract('kubernetes, fake', async () => {
  const fake = await startClusterWithRunner();
  const given = await executorUnderTest(settingsFor(fake));
  return {
    ...given,
    async close() {
      await given.close();
      await fake.close();
    },
  };
});

checkpointsFollow('kubernetes, fake', () => stepsBy((step) => shell(checkpointScripts[step])));
checkpointsFollow('kubernetes, fake, functions', () => stepsBy(checkpointFunction));
exitsAreRead('kubernetes, fake', () => stepsBy(shell));

async function stepsBy<Step>(workOf: (step: Step) => AttemptWork): Promise<StepsUnderTest<Step>> {
  const fake = await startClusterWithRunner();
  const harbour = await openHarbour({ ...settingsFor(fake), files: checkpointFiles });
  return {
    ...harbour,
    spec: (step) => specOf(workOf(step)),
    async close() {
      await harbour.close();
      await fake.close();
    },
  };
}
