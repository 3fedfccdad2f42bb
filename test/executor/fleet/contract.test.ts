/** The executor of the fleet under the contract of all executors, at a real Redis, with a worker. */
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { AttemptWork } from '../../../src/executor/executor.ts';
import { checkpointsFollow, type StepsUnderTest } from '../../contract/checkpoints.ts';
import { exitsAreRead } from '../../contract/exits.ts';
import { executorKeepsItsContract, type ExecutorUnderTest } from '../../contract/executor.ts';
import { redisMissing, startRedis, type TestRedis } from '../../support/redis.ts';
import { behaviourScripts, looksDefinition, looksAtWorkIn, looksFile, putIn } from '../behaviours.ts';
import { checkpointFiles, checkpointFunction, checkpointScripts } from '../checkpoint-steps.ts';
import { lookSpecOf, shell, specOf } from '../workshop.ts';
import { openYard } from './yard.ts';

const missing = redisMissing();
if (missing === false) await proveAll();
else test('the executor of the fleet keeps its contract', { skip: missing });

async function proveAll(): Promise<void> {
  const redis = await startRedis();
  after(() => redis.stop());
  executorKeepsItsContract('fleet', () => underTest(redis));
  const stepsBy = async <Step>(workOf: (step: Step) => AttemptWork): Promise<StepsUnderTest<Step>> => {
    const yard = await openYard(redis, { files: checkpointFiles });
    await yard.startWorker({ slots: 1 });
    return { ...yard.harbour, spec: (step) => specOf(workOf(step)), close: () => yard.close() };
  };
  checkpointsFollow('fleet', () => stepsBy((step) => shell(checkpointScripts[step])));
  checkpointsFollow('fleet, functions', () => stepsBy(checkpointFunction));
  exitsAreRead('fleet', () => stepsBy(shell));
}

async function underTest(redis: TestRedis): Promise<ExecutorUnderTest> {
  const yard = await openYard(redis, { files: { [looksFile]: looksDefinition } });
  await yard.startWorker({ slots: 32 });
  const { harbour } = yard;
  const lookers = join(harbour.folder, 'lookers');
  return {
    ...harbour,
    outlives: true,
    spec: (behaviour) => specOf(shell(`echo "begun $CONTENDER_ATTEMPT_ID"; ${behaviourScripts[behaviour]}`)),
    lookSpec: (as) => lookSpecOf(looksFile, { as, tally: lookers }),
    looksAtWork: () => looksAtWorkIn(lookers),
    put: putIn(harbour.source),
    async begun(attemptId) {
      return (await harbour.log(attemptId)).filter((line) => line === `begun ${attemptId}`).length;
    },
    close: () => yard.close(),
  };
}
