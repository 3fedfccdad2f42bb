/** Worker and client in one process. Argument: Redis' port. A parent runs after its children. */
import { FlowProducer, Worker } from 'bullmq';
import { unreachable } from '../../../src/std/unreachable.ts';
import { parseWorkload, serve } from '../../serve.ts';
import { createWaiters } from '../waiters.ts';

interface Data {
  /** Of who waits for this job; other jobs have none. */
  readonly id?: string;
  readonly steps?: number;
}

type Flow = Parameters<FlowProducer['add']>[0];

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };
const producer = new FlowProducer({ connection });
const waiters = createWaiters();

const worker = new Worker(
  'steps',
  async ({ name, data }) => {
    // The data are those that this program adds.
    const { id = '', steps = 0 } = data as Data;
    if (name === 'first') await producer.add(fanOf(id, steps));
    else if (id !== '') waiters.say(id, performance.now());
  },
  { connection, concurrency: 8 },
);
await worker.waitUntilReady();

function job(name: string, data: Data, children: Flow[] = []): Flow {
  return { name, queueName: 'steps', data, opts: { removeOnComplete: true }, children };
}

function fanOf(id: string, steps: number): Flow {
  return job(
    'last',
    { id },
    Array.from({ length: steps }, () => job('middle', {})),
  );
}

function chainOf(id: string, steps: number): Flow {
  let flow = job('step', steps === 1 ? { id } : {});
  for (let step = 2; step <= steps; step += 1) flow = job('step', step === steps ? { id } : {}, [flow]);
  return flow;
}

async function runFlow(flowOf: (id: string) => Flow): Promise<number> {
  const startedAt = performance.now();
  const { id, said } = waiters.begin();
  await producer.add(flowOf(id));
  return (await said) - startedAt;
}

await serve(parseWorkload, async (workload) => {
  switch (workload.shape) {
    case 'chain':
      return runFlow((id) => chainOf(id, workload.steps));
    case 'fan':
      return runFlow((id) => job('first', { id, steps: workload.steps }));
    case 'burst': {
      const chains = Array.from({ length: workload.runs }, () => runFlow((id) => chainOf(id, workload.steps)));
      return Math.max(...(await Promise.all(chains)));
    }
    case 'trigger':
      return runFlow((id) => chainOf(id, 1));
    default:
      return unreachable(workload);
  }
});
await worker.close();
await producer.close();
