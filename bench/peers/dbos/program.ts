/** Workflows and client in one process. Argument: the database. */
import { DBOS } from '@dbos-inc/dbos-sdk';
import { unreachable } from '../../../src/std/unreachable.ts';
import { parseWorkload, serve } from '../../serve.ts';
import { createWaiters } from '../waiters.ts';

const together = 8;
const waiters = createWaiters();
DBOS.setConfig({ name: 'bench', systemDatabaseUrl: process.argv[2], logLevel: 'error', runAdminServer: false });

const step = (name: string): Promise<void> => DBOS.runStep(async () => undefined, { name });

const chain = DBOS.registerWorkflow(
  async (steps: number) => {
    for (let index = 0; index < steps; index += 1) await step(`step-${index}`);
  },
  { name: 'chain' },
);

const fan = DBOS.registerWorkflow(
  async (steps: number) => {
    await step('first');
    for (let index = 0; index < steps; index += together) {
      const width = Math.min(together, steps - index);
      await Promise.allSettled(Array.from({ length: width }, (_, place) => step(`middle-${index + place}`)));
    }
    await step('last');
  },
  { name: 'fan' },
);

const clock = DBOS.registerWorkflow(
  async (id: string) => {
    await DBOS.runStep(async () => waiters.say(id, performance.now()), { name: 'clock' });
  },
  { name: 'clock' },
);

await DBOS.launch();

async function runWorkflow(workflow: typeof chain, steps: number): Promise<number> {
  const startedAt = performance.now();
  await (await DBOS.startWorkflow(workflow)(steps)).getResult();
  return performance.now() - startedAt;
}

await serve(parseWorkload, async (workload) => {
  switch (workload.shape) {
    case 'chain':
      return runWorkflow(chain, workload.steps);
    case 'fan':
      return runWorkflow(fan, workload.steps);
    case 'burst': {
      const runs = Array.from({ length: workload.runs }, () => runWorkflow(chain, workload.steps));
      return Math.max(...(await Promise.all(runs)));
    }
    case 'trigger': {
      const startedAt = performance.now();
      const { id, said } = waiters.begin();
      await DBOS.startWorkflow(clock)(id);
      return (await said) - startedAt;
    }
    default:
      return unreachable(workload);
  }
});
await DBOS.shutdown();
