/** The Kubernetes executor under the contract of all executors, at a fake cluster whose pods are processes. */
import { checkpointsFollow } from '../../contract/checkpoints.ts';
import { executorKeepsItsContract } from '../../contract/executor.ts';
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

checkpointsFollow('kubernetes, fake', async () => {
  const fake = await startClusterWithRunner();
  const harbour = await openHarbour(settingsFor(fake));
  return {
    ...harbour,
    spec: (script) => specOf(shell(script)),
    async close() {
      await harbour.close();
      await fake.close();
    },
  };
});
