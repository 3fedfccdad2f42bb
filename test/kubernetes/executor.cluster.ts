/** The Kubernetes executor under the contract of all executors, at a real cluster. */
import { after, before } from 'node:test';
import { nodeAddress } from '../cluster/layout.ts';
import { executorKeepsItsContract } from '../contract/executor.ts';
import { executorUnderTest } from '../executor/kubernetes/shipyard.ts';
import { makeNamespace, type Namespace } from './namespace.ts';

let namespace: Namespace;

before(async () => {
  namespace = await makeNamespace();
});

after(() => namespace.remove());

executorKeepsItsContract('kubernetes', () =>
  executorUnderTest({
    loadConfig(client) {
      const config = new client.KubeConfig();
      config.loadFromDefault();
      return config;
    },
    namespace: namespace.name,
    image: 'contender-runner:local',
    listen: { host: '0.0.0.0', seenAs: nodeAddress },
  }),
);
