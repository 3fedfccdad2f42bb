/** The Kubernetes executor under the contract of all executors, at a real cluster. */
import { after, before } from 'node:test';
import { checkpointsFollow } from '../contract/checkpoints.ts';
import { executorKeepsItsContract } from '../contract/executor.ts';
import { checkpointFiles, checkpointFunction, checkpointScripts } from '../executor/checkpoint-steps.ts';
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
  return { ...harbour, spec: (as) => specOf(shell(checkpointScripts[as])) };
});

checkpointsFollow('kubernetes, functions', async () => {
  const harbour = await openHarbour({ ...settingsIn(namespace.name), files: checkpointFiles });
  return { ...harbour, spec: (as) => specOf(checkpointFunction(as)) };
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
  return { ...harbour, spec: (as) => specOf({ ...container, command: ['sh', '-c', checkpointScripts[as]] }) };
});
