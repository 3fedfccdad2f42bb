/** The Kubernetes executor under the contract of all executors, at a real cluster. */
import { after, before } from 'node:test';
import type { AttemptWork } from '../../src/executor/executor.ts';
import { checkpointsFollow, type StepsUnderTest } from '../contract/checkpoints.ts';
import { exitsAreRead } from '../contract/exits.ts';
import { executorKeepsItsContract } from '../contract/executor.ts';
import { checkpointFiles, checkpointFunction, checkpointScripts } from '../executor/checkpoint-steps.ts';
import { openHarbour } from '../executor/kubernetes/harbour.ts';
import { executorUnderTest } from '../executor/kubernetes/shipyard.ts';
import { boxed, shell, specOf } from '../executor/workshop.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { runnerImage, settingsIn } from './settings.ts';

let namespace: Namespace;

before(async () => {
  namespace = await makeNamespace();
});

after(() => namespace.remove());

executorKeepsItsContract('kubernetes', () => executorUnderTest(settingsIn(namespace.name)));

const stepsBy = async <Step>(workOf: (step: Step) => AttemptWork): Promise<StepsUnderTest<Step>> => {
  const harbour = await openHarbour({ ...settingsIn(namespace.name), files: checkpointFiles });
  return { ...harbour, spec: (step) => specOf(workOf(step)) };
};

checkpointsFollow('kubernetes', () => stepsBy((step) => shell(checkpointScripts[step])));
checkpointsFollow('kubernetes, functions', () => stepsBy(checkpointFunction));
checkpointsFollow('kubernetes, containers', () => stepsBy((step) => boxed(runnerImage, checkpointScripts[step])));
exitsAreRead('kubernetes', () => stepsBy(shell));
exitsAreRead('kubernetes, containers', () => stepsBy((script) => boxed(runnerImage, script)));
