/** The Kubernetes executor under the contract of all executors, at a fake cluster whose pods are processes. */
import { executorKeepsItsContract } from '../../contract/executor.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
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
