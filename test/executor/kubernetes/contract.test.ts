/** The Kubernetes executor under the contract of all executors, at a fake cluster whose pods are processes. */
import type { AttemptWork } from '../../../src/executor/executor.ts';
import { checkpointsFollow, type CheckpointStep, type CheckpointsUnderTest } from '../../contract/checkpoints.ts';
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

checkpointsFollow('kubernetes, fake', () => checkpointsWith((as) => shell(checkpointScripts[as])));
checkpointsFollow('kubernetes, fake, functions', () => checkpointsWith(checkpointFunction));

async function checkpointsWith(workOf: (as: CheckpointStep) => AttemptWork): Promise<CheckpointsUnderTest> {
  const fake = await startClusterWithRunner();
  const harbour = await openHarbour({ ...settingsFor(fake), files: checkpointFiles });
  return {
    ...harbour,
    spec: (as) => specOf(workOf(as)),
    async close() {
      await harbour.close();
      await fake.close();
    },
  };
}
