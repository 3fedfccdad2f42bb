/** The Kubernetes executor under the contract of all executors, at a real cluster. */
import { after, before } from 'node:test';
import { checkpointsFollow } from '../contract/checkpoints.ts';
import { executorKeepsItsContract } from '../contract/executor.ts';
import { openHarbour } from '../executor/kubernetes/harbour.ts';
import { executorUnderTest } from '../executor/kubernetes/shipyard.ts';
import { shell, specOf } from '../executor/workshop.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { runnerImage, settingsIn } from './settings.ts';

let namespace: Namespace;

before(async () => {
  namespace = await makeNamespace();
});

after(() => namespace.remove());

executorKeepsItsContract('kubernetes', () => executorUnderTest(settingsIn(namespace.name)));

checkpointsFollow('kubernetes', async () => {
  const harbour = await openHarbour(settingsIn(namespace.name));
  return { ...harbour, spec: (script) => specOf(shell(script)) };
});

checkpointsFollow('kubernetes, containers', async () => {
  const harbour = await openHarbour(settingsIn(namespace.name));
  const container = {
    kind: 'container',
    image: runnerImage,
    args: [],
    environment: {},
    resources: { requests: {}, limits: {} },
    localCommand: null,
  } as const;
  return { ...harbour, spec: (script) => specOf({ ...container, command: ['sh', '-c', script] }) };
});
