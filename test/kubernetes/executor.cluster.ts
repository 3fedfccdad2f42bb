/** The Kubernetes executor under the contract of all executors, at a real cluster. */
import { after, before } from 'node:test';
import { executorKeepsItsContract } from '../contract/executor.ts';
import { executorUnderTest } from '../executor/kubernetes/shipyard.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { settingsIn } from './settings.ts';

let namespace: Namespace;

before(async () => {
  namespace = await makeNamespace();
});

after(() => namespace.remove());

executorKeepsItsContract('kubernetes', () => executorUnderTest(settingsIn(namespace.name)));
